/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/create.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* of Linux */
enum { MAJOR_MAX = (1 << 12) - 1, MINOR_MAX = (1 << 20) - 1 };

static int still_taken(struct error *err)
{
	return error_set(err, ERROR_FAILED, "cannot create it: its name is taken");
}

int create_file(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		long long size, struct error *err)
{
	int status = tree->media->file(tree, dir, name, meta, size, err);

	if (status == MEDIA_TAKEN && (status = tree_remove(tree, dir, name, err)) == 0)
		status = tree->media->file(tree, dir, name, meta, size, err);
	return status == MEDIA_TAKEN ? still_taken(err) : status;
}

int create_symlink(struct tree *tree, struct dir *dir, const char *name, const char *target,
		   const struct meta *meta, struct error *err)
{
	if (!target[0])
		return error_set(err, ERROR_INTEGRITY, "a symbolic link to nothing");
	int status = tree->media->symlink(tree, dir, name, target, meta, err);

	if (status == MEDIA_TAKEN && (status = tree_remove(tree, dir, name, err)) == 0)
		status = tree->media->symlink(tree, dir, name, target, meta, err);
	return status == MEDIA_TAKEN ? still_taken(err) : status;
}

int create_node(struct tree *tree, struct dir *dir, const char *name, mode_t type, dev_t device,
		const struct meta *meta, struct error *err)
{
	if (S_ISCHR(type) && device == makedev(0, 0))
		return error_set(err, ERROR_INTEGRITY,
				 "character device 0:0 would hide what lies beneath");
	bool is_device = S_ISCHR(type) || S_ISBLK(type);
	if (is_device && (major(device) > MAJOR_MAX || minor(device) > MINOR_MAX))
		return error_set(err, ERROR_INTEGRITY, "there is no device %u:%u", major(device),
				 minor(device));
	if (tree->no_devices && is_device)
		return tree_remove(tree, dir, name, err);
	int status = tree->media->node(tree, dir, name, type, device, meta, err);

	if (status == MEDIA_TAKEN && (status = tree_remove(tree, dir, name, err)) == 0)
		status = tree->media->node(tree, dir, name, type, device, meta, err);
	return status == MEDIA_TAKEN ? still_taken(err) : status;
}

int create_link(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		const char *target_name, struct error *err)
{
	if (dir == target_dir && strcmp(name, target_name) == 0)
		return error_set(err, ERROR_INTEGRITY, "a hard link to itself");
	for (int tries = 0; tries < 2; tries++) {
		if (tree_is_dead(target_dir) || tree_is_dead(dir))
			break;
		if (tree->media->kind(tree, target_dir, target_name) == MEDIA_WHITEOUT)
			return 1;
		int status = tree->media->link(tree, dir, name, target_dir, target_name, err);

		if (status != MEDIA_TAKEN)
			return status == MEDIA_ABSENT ? 1 : status;
		if (tree_remove(tree, dir, name, err) < 0)
			return -1;
	}
	return error_set(err, ERROR_INTEGRITY, "a hard link into what it replaces");
}

static void remember(struct dir *dir, const struct meta *meta)
{
	dir->declared = true;
	dir->mode = meta->mode;
	dir->mtime = meta->mtime;
}

int create_directory(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		     struct error *err)
{
	struct dir *known = name[0] ? tree_find(tree, dir, name) : dir;
	bool plain = meta->uid == 0 && meta->gid == 0 && meta->attribute_count == 0;

	if (!known) {
		known = tree_make(tree, dir, name, meta->mode, err);
		if (!known)
			return -1;
		remember(known, meta);
		return plain ? 0 : tree->media->declare(tree, known, meta, err);
	}
	remember(known, meta);
	return tree->media->declare(tree, known, meta, err);
}

int create_whiteout(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	struct dir *known = tree_find(tree, dir, name);

	/* what this layer itself has stays; of a directory, only what lower layers have in it goes
	 */
	if (known) {
		known->fresh = true;
		return 0;
	}
	int status = tree->media->node(tree, dir, name, S_IFCHR, makedev(0, 0), NULL, err);
	dir->has_whiteouts |= status == 0;
	return status == MEDIA_TAKEN ? 0 : status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/create.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DIRECTORY_BITS = 01777 };

/* After a failed attempt to create `name`: make place for it. 0 when trying again makes sense. */
static int make_place(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	if (errno != EEXIST)
		return error_os(err, "cannot create it");
	return tree_remove(tree, dir, name, err);
}

int create_file(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
		struct error *err)
{
	int dir_fd = tree_fd(tree, dir, err);
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	if (dir_fd < 0)
		return -1;
	int fd = openat(dir_fd, name, flags, mode & CREATE_BITS);
	if (fd >= 0)
		return fd;
	if (make_place(tree, dir, name, err) < 0)
		return -1;
	dir_fd = tree_fd(tree, dir, err);
	if (dir_fd < 0)
		return -1;
	fd = openat(dir_fd, name, flags, mode & CREATE_BITS);
	return fd >= 0 ? fd : error_os(err, "cannot create it");
}

int create_symlink(struct tree *tree, struct dir *dir, const char *name, const char *target,
		   const struct meta *meta, struct error *err)
{
	int dir_fd = tree_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	if (!target[0])
		return error_set(err, ERROR_INTEGRITY, "a symbolic link to nothing");
	if (symlinkat(target, dir_fd, name) < 0) {
		if (make_place(tree, dir, name, err) < 0 || (dir_fd = tree_fd(tree, dir, err)) < 0)
			return -1;
		if (symlinkat(target, dir_fd, name) < 0)
			return error_os(err, "cannot create it");
	}
	return meta_apply_at(dir_fd, name, meta, true, 0, err);
}

int create_node(struct tree *tree, struct dir *dir, const char *name, mode_t type, dev_t device,
		const struct meta *meta, struct error *err)
{
	mode_t mode = type | (meta->mode & CREATE_BITS);
	int dir_fd = tree_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	if (S_ISCHR(type) && device == makedev(0, 0))
		return error_set(err, ERROR_INTEGRITY,
				 "character device 0:0 would hide what lies beneath");
	if (tree->no_devices && (S_ISCHR(type) || S_ISBLK(type)))
		return tree_remove(tree, dir, name, err);
	if (mknodat(dir_fd, name, mode, device) < 0) {
		if (make_place(tree, dir, name, err) < 0 || (dir_fd = tree_fd(tree, dir, err)) < 0)
			return -1;
		if (mknodat(dir_fd, name, mode, device) < 0)
			return error_os(err, "cannot create it");
	}
	return meta_apply_at(dir_fd, name, meta, false, meta->mode & CREATE_BITS, err);
}

int create_link(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		const char *target_name, struct error *err)
{
	int target_fd, dir_fd;

	if (dir == target_dir && strcmp(name, target_name) == 0)
		return error_set(err, ERROR_INTEGRITY, "a hard link to itself");
	for (int tries = 0; tries < 2; tries++) {
		target_fd = tree_fd(tree, target_dir, err);
		dir_fd = tree_fd(tree, dir, err);
		if ((target_fd < 0 || dir_fd < 0) && tries > 0)
			break;
		if (target_fd < 0 || dir_fd < 0)
			return -1;
		if (tree_is_whiteout(target_fd, target_name))
			return 1;
		/* without AT_SYMLINK_FOLLOW: of a symbolic link itself */
		if (linkat(target_fd, target_name, dir_fd, name, 0) == 0)
			return 0;
		if (errno == ENOENT)
			return 1;
		if (errno == EPERM && tree_find(tree, target_dir, target_name))
			return error_set(err, ERROR_INTEGRITY, "a hard link to a directory");
		if (make_place(tree, dir, name, err) < 0)
			return -1;
	}
	return error_set(err, ERROR_INTEGRITY, "a hard link into what it replaces");
}

int create_declare(struct tree *tree, struct dir *dir, const struct meta *meta, struct error *err)
{
	int path_fd = tree_fd(tree, dir, err);

	if (path_fd < 0)
		return -1;
	cleanup_fd int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	struct meta early = *meta;

	early.mode &= DIRECTORY_BITS;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "cannot open it");
	/* an earlier entry may have given it to somebody else */
	if ((st.st_uid != meta->uid || st.st_gid != meta->gid) &&
	    fchown(fd, meta->uid, meta->gid) < 0)
		return error_os(err, "owner %u:%u", meta->uid, meta->gid);
	return meta_apply(fd, &early, st.st_mode & 07777, err);
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
		known = tree_make(tree, dir, name, meta->mode & DIRECTORY_BITS, err);
		if (!known)
			return -1;
		remember(known, meta);
		return plain ? 0 : create_declare(tree, known, meta, err);
	}
	remember(known, meta);
	return create_declare(tree, known, meta, err);
}

int create_whiteout(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	struct dir *known = tree_find(tree, dir, name);
	int dir_fd = tree_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	dir->has_whiteouts = true;
	/* what this layer itself has stays; of a directory, only what lower layers have in it goes
	 */
	if (known)
		known->fresh = true;
	else if (mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return error_os(err, "cannot create it");
	return 0;
}

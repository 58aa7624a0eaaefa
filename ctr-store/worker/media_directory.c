/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/media_directory.h"

#include "ctr-store/worker/tree.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	SET_ID = 06000,
	/* what a file, a device or a FIFO can be made with; the other bits come by meta_apply() */
	CREATE_BITS = 0777,
	/* the set-ID bits would be passed on to what is made in it */
	DIRECTORY_BITS = 01777
};

static struct media_directory *state_of(const struct tree *tree)
{
	return tree->media_state;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void forget_descriptors(struct media_directory *state)
{
	for (int i = 0; i < DIRECTORY_SLOTS; i++) {
		if (state->slots[i].dir)
			close(state->slots[i].fd);
		state->slots[i].dir = NULL;
	}
}

/* Move slot i to the front. */
static int use_slot(struct media_directory *state, int i)
{
	__typeof__(state->slots[0]) used = state->slots[i];

	memmove(state->slots + 1, state->slots, (size_t)i * sizeof used);
	state->slots[0] = used;
	return used.fd;
}

/* An O_PATH descriptor of a directory; borrowed, valid until two more are asked for. */
static int directory_fd(const struct tree *tree, struct dir *dir, struct error *err)
{
	struct media_directory *state = state_of(tree);
	char path[NAME_PATH_MAX + 1];

	if (!dir->parent)
		return state->root_fd;
	for (int i = 0; i < DIRECTORY_SLOTS; i++)
		if (state->slots[i].dir == dir)
			return use_slot(state, i);

	if (tree_path(dir, path, err) < 0)
		return -1;
	int fd = path_open_beneath(state->root_fd, path, O_PATH | O_DIRECTORY, err);
	if (fd < 0)
		return -1;
	if (state->slots[DIRECTORY_SLOTS - 1].dir)
		close(state->slots[DIRECTORY_SLOTS - 1].fd);
	state->slots[DIRECTORY_SLOTS - 1].dir = dir;
	state->slots[DIRECTORY_SLOTS - 1].fd = fd;
	return use_slot(state, DIRECTORY_SLOTS - 1);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int start(struct tree *tree, struct error *err)
{
	/* whatever the caller's directory inherited (set-group-ID, ACLs) would be passed on */
	cleanup_fd int fd =
		openat(state_of(tree)->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, TREE_IMPLIED_MODE) < 0)
		return error_os(err, "target directory");
	(void)fremovexattr(fd, "system.posix_acl_default");
	(void)fremovexattr(fd, "system.posix_acl_access");
	return 0;
}

static void close_file(struct media_directory *state)
{
	if (state->file_open)
		close(state->file_fd);
	state->file_open = false;
}

static void stop(struct tree *tree)
{
	forget_descriptors(state_of(tree));
	close_file(state_of(tree));
}

/* ---- new things ------------------------------------------------------------------------------ */

/* After a failed attempt to create something. */
static int taken(struct error *err)
{
	return errno == EEXIST ? MEDIA_TAKEN : error_os(err, "cannot create it");
}

static int make_directory(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
			  struct error *err)
{
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	if (mkdirat(dir_fd, name, mode & DIRECTORY_BITS) == 0)
		return 0;
	return errno == EEXIST ? MEDIA_TAKEN : error_os(err, "cannot make directory %s", name);
}

static int make_symlink(struct tree *tree, struct dir *dir, const char *name, const char *target,
			const struct meta *meta, struct error *err)
{
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	if (symlinkat(target, dir_fd, name) < 0)
		return taken(err);
	return meta_apply_at(dir_fd, name, meta, true, 0, err);
}

static int refuse_whiteout(struct error *err)
{
	error_set(err, ERROR_UNSUPPORTED, "this file system does not support whiteouts");
	return error_hint(err, "--backend erofs, or another file system below --root");
}

static int make_node(struct tree *tree, struct dir *dir, const char *name, mode_t type,
		     dev_t device, const struct meta *meta, struct error *err)
{
	mode_t mode = meta ? meta->mode & CREATE_BITS : 0;
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	if (mknodat(dir_fd, name, type | mode, device) < 0)
		return !meta && errno == EPERM ? refuse_whiteout(err) : taken(err);
	return meta ? meta_apply_at(dir_fd, name, meta, false, mode, err) : 0;
}

static int make_link(struct tree *tree, struct dir *dir, const char *name, struct dir *target_dir,
		     const char *target_name, struct error *err)
{
	int target_fd = directory_fd(tree, target_dir, err);
	int dir_fd = target_fd < 0 ? -1 : directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	/* without AT_SYMLINK_FOLLOW: of a symbolic link itself */
	if (linkat(target_fd, target_name, dir_fd, name, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return MEDIA_ABSENT;
	if (errno == EPERM && tree_find(tree, target_dir, target_name))
		return error_set(err, ERROR_INTEGRITY, "a hard link to a directory");
	return taken(err);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int make_file(struct tree *tree, struct dir *dir, const char *name, const struct meta *meta,
		     long long size, struct error *err)
{
	struct media_directory *state = state_of(tree);
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	state->file_mode = meta->mode & CREATE_BITS;
	state->file_fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				state->file_mode);
	if (state->file_fd < 0)
		return taken(err);
	state->file_open = true;
	state->file_end = 0;
	state->file_size = size;
	return 0;
}

/* What is left out stays a hole. */
static int write_file(struct tree *tree, const void *data, size_t length, long long offset,
		      struct error *err)
{
	struct media_directory *state = state_of(tree);

	while (length > 0) {
		ssize_t put = pwrite(state->file_fd, data, length, offset);

		if (put < 0)
			return error_os(err, "cannot write");
		data = (const char *)data + put;
		length -= (size_t)put;
		offset += put;
	}
	state->file_end = offset;
	return 0;
}

static int copy_by_hand(int in, int out, struct error *err)
{
	char buffer[65536];
	ssize_t got;

	while ((got = read(in, buffer, sizeof buffer)) > 0)
		if (file_write_fd(out, buffer, (size_t)got, "copy", err) < 0)
			return -1;
	return got < 0 ? error_os(err, "cannot read the lower layer") : 0;
}

/* By sharing blocks where the file system can. */
static int copy_file(struct tree *tree, int in, struct error *err)
{
	struct media_directory *state = state_of(tree);
	ssize_t put;

	state->file_size = 0; /* it is what it is */
	while ((put = copy_file_range(in, NULL, state->file_fd, NULL, SSIZE_MAX / 2, 0)) > 0)
		;
	if (put == 0)
		return 0;
	if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)
		return copy_by_hand(in, state->file_fd, err);
	return error_os(err, "cannot copy from a lower layer");
}

static int end_file(struct tree *tree, const struct meta *meta, struct error *err)
{
	struct media_directory *state = state_of(tree);
	int status = 0;

	if (state->file_end < state->file_size && ftruncate(state->file_fd, state->file_size) < 0)
		status = error_os(err, "cannot set its size");
	if (status == 0 && (meta_apply(state->file_fd, meta, state->file_mode, err) < 0 ||
			    meta_set_time(state->file_fd, &meta->mtime, err) < 0))
		status = -1;
	close_file(state);
	return status;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int declare(struct tree *tree, struct dir *dir, const struct meta *meta, struct error *err)
{
	int path_fd = directory_fd(tree, dir, err);

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
		return meta_owner_failed(meta, err);
	return meta_apply(fd, &early, st.st_mode & 07777, err);
}

static int remove_name(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0)
		return -1;
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? error_os(err, "cannot replace it")
								: 0;
}

static int remove_directory(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	int dir_fd = directory_fd(tree, dir, err);

	if (dir_fd < 0 || path_remove_tree(dir_fd, name, err) < 0)
		return -1;
	forget_descriptors(state_of(tree));
	return 0;
}

static int move_name(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		     struct error *err)
{
	int from_fd = directory_fd(tree, from, err);
	int to_fd = from_fd < 0 ? -1 : directory_fd(tree, to, err);

	if (to_fd < 0)
		return -1;
	if (renameat2(from_fd, name, to_fd, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? MEDIA_TAKEN : error_os(err, "cannot move \"%s\"", name);
	if (tree_find(tree, from, name))
		forget_descriptors(state_of(tree));
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

static enum media_kind kind_at(int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return MEDIA_NOTHING;
	if (S_ISLNK(st.st_mode))
		return MEDIA_SYMLINK;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) ? MEDIA_WHITEOUT : MEDIA_OTHER;
}

static enum media_kind kind(struct tree *tree, struct dir *dir, const char *name)
{
	struct error ignored;
	int dir_fd = directory_fd(tree, dir, &ignored);

	return dir_fd < 0 ? MEDIA_NOTHING : kind_at(dir_fd, name);
}

static ssize_t read_link(struct tree *tree, struct dir *dir, const char *name, char *target,
			 size_t size)
{
	struct error ignored;
	int dir_fd = directory_fd(tree, dir, &ignored);
	ssize_t length = dir_fd < 0 ? -1 : readlinkat(dir_fd, name, target, size);

	if (length >= 0)
		return length;
	return errno == EINVAL ? -MEDIA_TAKEN : -MEDIA_ABSENT;
}

static int list(struct tree *tree, struct dir *dir, media_each *each, void *context,
		struct error *err)
{
	int path_fd = directory_fd(tree, dir, err);
	cleanup_dir DIR *stream = path_fd < 0 ? NULL : directory_open(path_fd, ".");
	const struct dirent *entry;

	if (path_fd < 0)
		return -1;
	if (!stream)
		return error_os(err, "cannot read \"%s\"", dir->name);
	while ((entry = directory_next(stream))) {
		const char *name = entry->d_name;
		bool may_be_whiteout = entry->d_type == DT_CHR || entry->d_type == DT_UNKNOWN;

		if (each(context, name,
			 may_be_whiteout && kind_at(dirfd(stream), name) == MEDIA_WHITEOUT,
			 err) < 0)
			return -1;
	}
	return errno ? error_os(err, "cannot read \"%s\"", dir->name) : 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int set_mode(int dir_fd, mode_t mode, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return error_os(err, "mode %04o", mode);
	return 0;
}

static int finish(struct tree *tree, struct dir *dir, enum media_mark mark, struct error *err)
{
	struct marker *marker = state_of(tree)->marker;
	char path[NAME_PATH_MAX + 1];
	int path_fd = directory_fd(tree, dir, err);

	if (path_fd < 0)
		return -1;
	if (mark && marker &&
	    (tree_path(dir, path, err) < 0 || marker_mark(marker, mark, path, err) < 0))
		return -1;
	if ((dir->mode & SET_ID) && set_mode(path_fd, dir->mode, err) < 0)
		return -1;
	return meta_set_time(path_fd, &dir->mtime, err);
}

static int end(struct tree *tree, struct error *err)
{
	struct marker *marker = state_of(tree)->marker;

	return marker ? marker_finish(marker, err) : 0;
}

const struct media media_directory = {
	.start = start,
	.free = stop,
	.directory = make_directory,
	.symlink = make_symlink,
	.node = make_node,
	.link = make_link,
	.file = make_file,
	.write = write_file,
	.copy = copy_file,
	.file_end = end_file,
	.declare = declare,
	.remove = remove_name,
	.remove_directory = remove_directory,
	.move = move_name,
	.kind = kind,
	.read_link = read_link,
	.list = list,
	.finish = finish,
	.end = end,
};

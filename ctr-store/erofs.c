/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/erofs.h"

#include "ctr-store/user_namespace.h"
#include "ctr-store/worker/erofs_format.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 40, SOURCE_MAX = 255 /* of fsconfig(2) */, LOOP_TRIES = 100 };

static int refuse_unprivileged(struct error *err)
{
	error_set(err, ERROR_DENIED, "only root of the host mounts EROFS images");
	return error_hint(err, "layers that are directories are for everybody: --backend overlay");
}

static int open_context(struct error *err)
{
	int fs_fd = fsopen("erofs", FSOPEN_CLOEXEC);

	if (fs_fd >= 0)
		return fs_fd;
	if (errno == ENODEV)
		return error_set(err, ERROR_UNSUPPORTED, "this kernel has no EROFS");
	return errno == EPERM ? refuse_unprivileged(err) : error_os(err, "cannot mount EROFS");
}

int erofs_check(struct error *err)
{
	if (user_namespace_is_own())
		return refuse_unprivileged(err);
	cleanup_fd int fs_fd = open_context(err);
	return fs_fd < 0 ? -1 : 0;
}

static int damaged(const char *path, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "%s is no EROFS image, or a damaged one", path);
}

/* A mount of the file or device; with ENOTBLK when the kernel wants a device. */
static int mount_source(const char *source, const char *path, struct error *err)
{
	cleanup_fd int fs_fd = open_context(err);

	if (fs_fd < 0)
		return -1;
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
	    fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return error_os(err, "cannot mount %s", path);
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		if (errno == EPERM)
			return refuse_unprivileged(err);
		/* a superblock or an inode that is none, or reaches beyond the file */
		if (errno == EINVAL || errno == EUCLEAN || errno == EIO || errno == EOPNOTSUPP)
			return damaged(path, err);
		return error_os(err, "cannot mount %s", path);
	}
	int fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? error_os(err, "cannot mount %s", path) : fd;
}

/* A loop device of the file, gone with its last user: a descriptor, and its name. */
static int open_loop(int file_fd, char name[static NAME_SIZE], struct error *err)
{
	const struct loop_config config = { .fd = (__u32)file_fd,
					    .info = { .lo_flags = LO_FLAGS_READ_ONLY |
								  LO_FLAGS_AUTOCLEAR } };
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return error_os(err, "cannot get a loop device");
	for (int i = 0; i < LOOP_TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return error_os(err, "cannot get a loop device");
		snprintf(name, NAME_SIZE, "/dev/loop%d", number);
		cleanup_fd int fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_os(err, "%s", name);
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
			return steal_fd(&fd);
		/* somebody else was faster */
		if (errno != EBUSY)
			return error_os(err, "%s", name);
	}
	return error_set(err, ERROR_TEMPORARY,
			 "cannot get a loop device: other processes take them all");
}

/* Whether it ends before its superblock says: the kernel mounts such a file, and fails only those
 * who read what is missing. */
static bool is_cut(int file_fd)
{
	unsigned char super[EROFS_SUPER_SIZE];
	struct stat st;

	/* what is no superblock of ours the kernel judges */
	if (pread(file_fd, super, sizeof super, EROFS_SUPER_OFFSET) != sizeof super ||
	    fstat(file_fd, &st) < 0 || get32(super) != erofs_magic ||
	    super[EROFS_SUPER_BLOCK_BITS_OFFSET] != EROFS_BLOCK_BITS)
		return false;
	return st.st_size / EROFS_BLOCK < get32(super + EROFS_SUPER_BLOCKS_OFFSET);
}

static int open_file(int dir_fd, const char *path, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", path);
	return is_cut(fd) ? damaged(path, err) : steal_fd(&fd);
}

static int mount_file(int file_fd, const char *path, struct error *err)
{
	char source[NAME_SIZE];
	/* its own name, where it has one, is what mountinfo shows */
	bool named = path[0] == '/' && strlen(path) <= SOURCE_MAX;

	snprintf(source, sizeof source, "/proc/self/fd/%d", file_fd);
	return mount_source(named ? path : source, path, err);
}

int erofs_mount_file(int dir_fd, const char *path, struct error *err)
{
	cleanup_fd int file_fd = open_file(dir_fd, path, err);

	return file_fd < 0 ? -1 : mount_file(file_fd, path, err);
}

int erofs_mount(int dir_fd, const char *path, struct error *err)
{
	char device[NAME_SIZE];
	cleanup_fd int file_fd = open_file(dir_fd, path, err);
	int mount_fd = file_fd < 0 ? -1 : mount_file(file_fd, path, err);

	if (file_fd < 0 || mount_fd >= 0 || err->os != ENOTBLK)
		return mount_fd;
	cleanup_fd int loop_fd = open_loop(file_fd, device, err);
	if (loop_fd < 0)
		return error_prefix(err, "%s", path);
	return mount_source(device, path, err);
}

bool erofs_is_image(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

int erofs_open_tree(int dir_fd, const char *path, struct error *err)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOTDIR || !erofs_is_image(dir_fd, path))
		return fd < 0 ? error_os(err, "%s", path) : fd;
	cleanup_fd int mount_fd = erofs_mount(dir_fd, path, err);
	if (mount_fd < 0)
		return -1;
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpack_target.h"

#include "ctr-store/erofs.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ext4 does not use an inode again in the seconds after its file was removed, and looks at each of
 * them in vain: where a removed layer was, unpacking takes ten times as long. With this flag each
 * layer gets a place that follows from its name, which is random. Other file systems refuse it. */
void unpack_target_spread(int staging_fd)
{
	int flags;

	if (ioctl(staging_fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_TOPDIR_FL;
		ioctl(staging_fd, FS_IOC_SETFLAGS, &flags);
	}
}

void unpack_target_close(struct unpack_target *target)
{
	cleanup_fd_p(&target->directory_fd);
	cleanup_fd_p(&target->image_fd);
}

static int make_directory(int staging_fd, const char *path, struct unpack_target *target,
			  struct error *err)
{
	if (mkdirat(staging_fd, path, 0755) < 0)
		return error_os(err, "cannot make a directory");
	target->directory_fd = openat(staging_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->directory_fd < 0 || fchmod(target->directory_fd, 0755) < 0)
		return error_os(err, "cannot open a directory");
	return 0;
}

static int make_image(int staging_fd, const char *path, struct unpack_target *target,
		      struct error *err)
{
	if (erofs_check(err) < 0)
		return -1;
	if (mkdirat(staging_fd, "empty", 0700) < 0 && errno != EEXIST)
		return error_os(err, "cannot make a directory");
	target->directory_fd = openat(staging_fd, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->image_fd =
		openat(staging_fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return target->directory_fd < 0 || target->image_fd < 0
		       ? error_os(err, "cannot make a file")
		       : 0;
}

int unpack_target_make(int staging_fd, const char *layer, enum backend backend,
		       struct unpack_target *target, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/diff", layer);

	return backend == BACKEND_EROFS ? make_image(staging_fd, path, target, err)
					: make_directory(staging_fd, path, target, err);
}

void unpack_target_push(int staging_fd, const char *layer, enum backend backend)
{
	cleanup_free char *path = xasprintf("%s/diff", layer);
	cleanup_fd int fd = backend == BACKEND_EROFS
				    ? openat(staging_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
				    : -1;

	if (fd >= 0)
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int sync_one(int staging_fd, const char *layer, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", layer, name);
	cleanup_fd int fd = openat(staging_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? error_os(err, "%s", name) : 0;
}

/* Of a few files each is waited for by itself, and not for what else the file system has to write.
 * Each waits for the disk's cache, too: of many that takes longer than all that others write. */
int unpack_target_sync(int staging_fd, const struct strings *layers, enum backend backend,
		       struct error *err)
{
	if (backend != BACKEND_EROFS || layers->count > UNPACK_TARGET_FEW)
		return syncfs(staging_fd) < 0 ? error_os(err, "syncfs") : 0;
	for (size_t i = 0; i < layers->count; i++)
		if (sync_one(staging_fd, layers->items[i], "diff", err) < 0 ||
		    sync_one(staging_fd, layers->items[i], "layer.json", err) < 0 ||
		    sync_one(staging_fd, layers->items[i], ".", err) < 0)
			return -1;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/erofs_probe.h"

#include "ctr-store/erofs.h"
#include "ctr-store/overlay.h"
#include "ctr-store/user_namespace.h"
#include "ctr-store/worker/erofs_format.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { ROOT = EROFS_SUPER_OFFSET + EROFS_SUPER_SIZE /* place of the inode */ };

static const char name[] = "probe";

/* Nothing but an empty directory. */
static void make_image(unsigned char block[static EROFS_BLOCK])
{
	static const char names[] = { '.', '.', '.' };
	unsigned char *super = block + EROFS_SUPER_OFFSET, *inode = block + ROOT;
	unsigned char *entries = inode + EROFS_COMPACT_SIZE;

	put32(super, erofs_magic);
	super[EROFS_SUPER_BLOCK_BITS_OFFSET] = EROFS_BLOCK_BITS;
	put16(super + 14, ROOT / EROFS_SLOT);
	put64(super + 16, 1);			     /* inodes */
	put32(super + EROFS_SUPER_BLOCKS_OFFSET, 1); /* blocks */

	put16(inode, EROFS_FLAT_INLINE << 1);
	put16(inode + 4, S_IFDIR | 0755);
	put16(inode + EROFS_COMPACT_NLINK_OFFSET, 2);
	put32(inode + 8, 2 * EROFS_DIRENT + sizeof names);
	put32(inode + 20, 1); /* number */
	for (unsigned i = 0; i < 2; i++) {
		unsigned char *entry = entries + (size_t)i * EROFS_DIRENT;

		put64(entry, ROOT / EROFS_SLOT);
		put16(entry + 8, 2 * EROFS_DIRENT + i);
		entry[10] = EROFS_DIRECTORY;
	}
	memcpy(entries + 2 * (size_t)EROFS_DIRENT, names, sizeof names);
}

static int write_image(int dir_fd, struct error *err)
{
	unsigned char block[EROFS_BLOCK] = { 0 };
	cleanup_fd int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "%s", name);
	make_image(block);
	return file_write_fd(fd, block, sizeof block, name, err);
}

typedef int mount_image(int dir_fd, const char *path, struct error *err);

static int try_mounts(const struct store *store, const struct staging *staging, mount_image *mount,
		      struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	const struct overlay overlay = { .layers = &layers,
					 .source = "ocid:probe",
					 .attributes = MOUNT_ATTR_RDONLY };
	cleanup_fd int image_fd = mount(staging->fd, name, err);

	if (image_fd < 0)
		return -1;
	strings_addf(&layers, "%s/tmp/%s", store->root, staging->name);
	strings_addf(&layers, "%s/tmp/%s/%s", store->root, staging->name, name);
	cleanup_fd int overlay_fd = overlay_open(store, &overlay, err);
	return overlay_fd < 0 ? -1 : 0;
}

/* 1, 0 or -1. */
static int can_use_images(const struct store *store, const struct staging *staging,
			  mount_image *mount, struct error *err)
{
	if (user_namespace_marks(store))
		return 0;
	if (write_image(staging->fd, err) < 0)
		return -1;
	int status = try_mounts(store, staging, mount, err);
	unlinkat(staging->fd, name, 0);
	if (status == 0)
		return 1;
	/* what is short now says nothing about the next time */
	if (err->kind == ERROR_LIMIT || err->os == ENOMEM)
		return -1;
	log_message(LOG_LEVEL_DEBUG, "layers become directories: %s", err->message);
	return 0;
}

/* overlayfs shows those of the layers beneath itself, and lets nobody make one. */
static bool takes_whiteouts(const struct staging *staging)
{
	if (mknodat(staging->fd, name, S_IFCHR, makedev(0, 0)) < 0)
		return errno != EPERM;
	unlinkat(staging->fd, name, 0);
	return true;
}

int erofs_is_best(const struct store *store, const struct staging *staging, struct error *err)
{
	return can_use_images(store, staging, erofs_mount_file, err);
}

int erofs_is_needed(const struct store *store, const struct staging *staging, struct error *err)
{
	return takes_whiteouts(staging) ? 0 : can_use_images(store, staging, erofs_mount, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/erofs_shared.h"

#include "ctr-store/erofs.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What one key is about. */
struct shared {
	int top_fd;	   /* RUNROOT/erofs, or -1 */
	int lock_fd;	   /* or -1 */
	char *mnt, *users; /* paths from there */
};

enum { KEY_SIZE = 40 };

static void shared_free(struct shared *shared)
{
	cleanup_fd_p(&shared->lock_fd);
	cleanup_fd_p(&shared->top_fd);
	free(shared->mnt);
	free(shared->users);
}
#define cleanup_shared __attribute__((cleanup(shared_free)))

static int open_top(const struct store *store)
{
	cleanup_free char *path = xasprintf("%s/erofs", store->runroot);

	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Nobody else but us may look: files in there are as their images say. */
static int make_top(const struct store *store)
{
	cleanup_free char *top = xasprintf("%s/erofs", store->runroot);
	struct error ignored;

	return path_make_dirs(top, 0700, &ignored) < 0 ? -1 : open_top(store);
}

static bool make_one(int top_fd, const char *path)
{
	return mkdirat(top_fd, path, 0700) == 0 || errno == EEXIST;
}

/* A directory below `parent`, which may not be there yet. */
static bool make_below(int top_fd, const char *parent, const char *path)
{
	return make_one(top_fd, path) ||
	       (errno == ENOENT && make_one(top_fd, parent) && make_one(top_fd, path));
}

static void make_key(const struct stat *st, char key[static KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%08llx%016llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
}

/* A lock for what is done to a key, which takes no longer than a mount: one byte of a file. */
static int lock_key(int top_fd, const char *key)
{
	unsigned long long number = 14695981039346656037U; /* FNV-1a */
	cleanup_fd int fd = openat(top_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	for (const char *at = key; *at; at++)
		number = (number ^ (unsigned char)*at) * 1099511628211U;
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)(number >> 2), .l_len = 1
	};
	while (fd >= 0 && fcntl(fd, F_OFD_SETLKW, &lock) < 0)
		if (errno != EINTR || cli_interrupted())
			return -1;
	return steal_fd(&fd);
}

static bool is_key(const char *key)
{
	return key && key[0] && strspn(key, "0123456789abcdef") == strlen(key);
}

/* Whether there is anything to do it with; takes top_fd. */
static bool shared_open(struct shared *shared, int top_fd, const char *key)
{
	*shared = (struct shared){ .top_fd = top_fd, .lock_fd = -1 };
	if (top_fd < 0 || !is_key(key))
		return false;
	*shared = (struct shared){ .top_fd = top_fd,
				   .lock_fd = lock_key(top_fd, key),
				   .mnt = xasprintf("mnt/%s", key),
				   .users = xasprintf("users/%s", key) };
	return shared->lock_fd >= 0;
}

static int copy_mount(int mount_fd)
{
	return open_tree(mount_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/* The mount, or a copy of it; -1 where there is none. */
static int open_shared(const struct shared *shared, bool copy)
{
	unsigned flags = OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	cleanup_fd int fd =
		open_tree(shared->top_fd, shared->mnt, flags | (copy ? OPEN_TREE_CLONE : 0));
	struct statfs st;

	/* else it is the directory that it was on */
	return fd >= 0 && fstatfs(fd, &st) == 0 && (unsigned)st.f_type == EROFS_SUPER_MAGIC_V1
		       ? steal_fd(&fd)
		       : -1;
}

static bool add_user(const struct shared *shared, const char *user)
{
	cleanup_free char *path = xasprintf("%s/%s", shared->users, user);

	if (!make_below(shared->top_fd, "users", shared->users))
		return false;
	return mknodat(shared->top_fd, path, S_IFREG | 0600, 0) == 0 || errno == EEXIST;
}

/* The mount goes unless somebody uses it. */
static void drop_unused(const struct store *store, const struct shared *shared)
{
	cleanup_free char *path = xasprintf("%s/erofs/%s", store->runroot, shared->mnt);

	if (unlinkat(shared->top_fd, shared->users, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return;
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	/* this ends it in other mount namespaces, too */
	unlinkat(shared->top_fd, shared->mnt, AT_REMOVEDIR);
}

/* Put the mount where others find it. That it cannot be done is no error. */
static bool publish(const struct shared *shared, int mount_fd)
{
	if (!make_below(shared->top_fd, "mnt", shared->mnt))
		return false;
	if (move_mount(mount_fd, "", shared->top_fd, shared->mnt, MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return true;
	unlinkat(shared->top_fd, shared->mnt, AT_REMOVEDIR);
	return false;
}

/* A new mount, for others, too. */
static int mount_new(const struct shared *shared, const char *path, bool *attached,
		     struct error *err)
{
	cleanup_fd int mount_fd = erofs_mount(AT_FDCWD, path, err);

	if (mount_fd < 0)
		return -1;
	if (attached) {
		*attached = publish(shared, mount_fd);
		return steal_fd(&mount_fd);
	}
	cleanup_fd int copy = copy_mount(mount_fd);
	if (copy < 0)
		return steal_fd(&mount_fd);
	publish(shared, mount_fd);
	return steal_fd(&copy);
}

int erofs_shared_mount(const struct store *store, const char *path, const struct erofs_user *user,
		       bool *attached, struct error *err)
{
	char key[KEY_SIZE];
	struct stat st;
	cleanup_shared struct shared shared = { .top_fd = -1, .lock_fd = -1 };

	if (stat(path, &st) < 0)
		return error_os(err, "%s", path);
	if (attached)
		*attached = false;
	make_key(&st, key);
	int top_fd = user ? make_top(store) : open_top(store);
	if (!shared_open(&shared, top_fd, key))
		return erofs_mount(AT_FDCWD, path, err);

	bool added = user && add_user(&shared, user->name);
	bool in_place = added && attached;
	int mount_fd = open_shared(&shared, !in_place);
	if (added)
		json_array_append_new(user->keys, json_string(key));
	if (mount_fd < 0)
		return added ? mount_new(&shared, path, attached, err)
			     : erofs_mount(AT_FDCWD, path, err);
	if (in_place)
		*attached = true;
	return mount_fd;
}

int erofs_shared_open(const struct store *store, const char *path, const struct erofs_user *user,
		      struct error *err)
{
	cleanup_fd int mount_fd = -1;
	bool attached;

	if (erofs_is_image(AT_FDCWD, path)) {
		mount_fd = erofs_shared_mount(store, path, user, &attached, err);
		if (mount_fd < 0)
			return -1;
	}
	int fd = openat(mount_fd, mount_fd < 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

void erofs_shared_use(const struct store *store, const char *user, const json_t *keys)
{
	const json_t *key;
	size_t i;

	json_array_foreach (keys, i, key) {
		cleanup_shared struct shared shared = { .top_fd = -1, .lock_fd = -1 };

		if (shared_open(&shared, open_top(store), json_string_value(key)))
			add_user(&shared, user);
	}
}

void erofs_shared_release(const struct store *store, const char *user, const json_t *keys)
{
	const json_t *key;
	size_t i;

	json_array_foreach (keys, i, key) {
		cleanup_shared struct shared shared = { .top_fd = -1, .lock_fd = -1 };

		if (!shared_open(&shared, open_top(store), json_string_value(key)))
			continue;
		cleanup_free char *path = xasprintf("%s/%s", shared.users, user);
		unlinkat(shared.top_fd, path, 0);
		drop_unused(store, &shared);
	}
}

/* ---- what is left ---- */

/* Remove the users of a key that are not in the set (NULL: all), and what nobody uses then. */
static void collect_key(const struct store *store, const char *key, const json_t *users)
{
	cleanup_shared struct shared shared = { .top_fd = -1, .lock_fd = -1 };

	if (!shared_open(&shared, open_top(store), key))
		return;
	cleanup_strings struct strings names = { 0 };

	directory_names(shared.top_fd, shared.users, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", shared.users, names.items[i]);

		if (!json_object_get(users, names.items[i]))
			unlinkat(shared.top_fd, path, 0);
	}
	drop_unused(store, &shared);
}

void erofs_shared_forget(const struct store *store, int dir_fd, const char *path)
{
	char key[KEY_SIZE];
	struct stat st;

	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	make_key(&st, key);
	collect_key(store, key, NULL);
}

/* For each key that has an entry in this directory of RUNROOT/erofs. */
static void collect_each(const struct store *store, const char *name, const json_t *users)
{
	cleanup_free char *path = xasprintf("%s/erofs/%s", store->runroot, name);
	cleanup_strings struct strings keys = { 0 };

	directory_names(AT_FDCWD, path, &keys);
	for (size_t i = 0; i < keys.count; i++)
		collect_key(store, keys.items[i], users);
}

void erofs_shared_collect(const struct store *store, const json_t *users)
{
	collect_each(store, "users", users);
	collect_each(store, "mnt", users);
}

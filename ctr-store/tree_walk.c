/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/tree_walk.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_MAX_LEVELS = 64 };

/* A directory on the way down. */
struct level {
	int fd; /* -1 while it is far above */
	dev_t device;
	ino_t inode;
	struct strings names;
	size_t next;	    /* name to look at */
	size_t path_length; /* of this directory */
};

struct walk {
	struct level *levels;
	size_t count;
	char *path;
	size_t path_room;
	tree_visit *visit;
	void *context;
	long long *unreadable; /* counts what we have no permission for; NULL: an error */
};

static void level_free(struct level *level)
{
	cleanup_fd_p(&level->fd);
	strings_free(&level->names);
}

static void walk_free(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		level_free(&walk->levels[i]);
	free(walk->levels);
	free(walk->path);
}

/* Go down into the directory fd, which becomes the walk's. */
static int enter(struct walk *walk, int fd, size_t path_length, struct error *err)
{
	struct level level = { .fd = fd, .path_length = path_length };
	struct stat st;

	if (fstat(fd, &st) < 0 || directory_names(fd, ".", &level.names) < 0) {
		error_os(err, "cannot read a directory");
		level_free(&level);
		return -1;
	}
	level.device = st.st_dev;
	level.inode = st.st_ino;
	walk->levels = xgrow(walk->levels, walk->count, sizeof *walk->levels);
	walk->levels[walk->count++] = level;
	if (walk->count > OPEN_MAX_LEVELS)
		close(steal_fd(&walk->levels[walk->count - 1 - OPEN_MAX_LEVELS].fd));
	return 0;
}

/* Back to the directory above, which is opened again where it was closed. */
static int leave(struct walk *walk, struct error *err)
{
	struct level *level = &walk->levels[walk->count - 1];
	struct level *above = walk->count > 1 ? level - 1 : NULL;
	struct stat st;

	if (above && above->fd < 0) {
		above->fd = openat(level->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (above->fd < 0 || fstat(above->fd, &st) < 0)
			return error_os(err, "cannot read a directory");
		if (st.st_dev != above->device || st.st_ino != above->inode)
			return error_set(err, ERROR_TEMPORARY, "directories are being moved");
	}
	level_free(level);
	walk->count--;
	return 0;
}

/* Make walk->path that of `name` in the level; returns its length. */
static size_t set_path(struct walk *walk, const struct level *level, const char *name)
{
	size_t length = strlen(name), at = level->path_length;

	if (!walk->path || at + length + 2 > walk->path_room) {
		walk->path_room = 2 * (at + length + 2);
		walk->path = xreallocarray(walk->path, walk->path_room, 1);
	}
	if (at > 0)
		walk->path[at++] = '/';
	memcpy(walk->path + at, name, length + 1);
	return at + length;
}

/* Whether a failure is passed over, as the caller wants it. */
static bool is_passed_over(const struct walk *walk, int number)
{
	if (number != EACCES || !walk->unreadable)
		return false;
	(*walk->unreadable)++;
	return true;
}

static int visit_next(struct walk *walk, struct error *err)
{
	struct level *level = &walk->levels[walk->count - 1];
	const char *name = level->names.items[level->next++];
	size_t path_length = set_path(walk, level, name);
	struct stat st;

	if (fstatat(level->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || is_passed_over(walk, errno)
			       ? 0
			       : error_os(err, "%s", walk->path);

	const struct tree_entry entry = { walk->path, name, level->fd, &st };
	if (walk->visit(&entry, walk->context, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	struct error why;
	int fd = path_open_directory(level->fd, name, &why);
	if (fd < 0 && (why.os == ENOENT || why.os == ENOTDIR || why.os == EXDEV ||
		       is_passed_over(walk, why.os)))
		return 0;
	if (fd < 0) {
		errno = why.os;
		return error_os(err, "%s", walk->path);
	}
	return enter(walk, fd, path_length, err);
}

int tree_walk(int top_fd, tree_visit *visit, void *context, struct error *err)
{
	return tree_walk_readable(top_fd, visit, context, NULL, err);
}

int tree_walk_readable(int top_fd, tree_visit *visit, void *context, long long *unreadable,
		       struct error *err)
{
	__attribute__((cleanup(walk_free))) struct walk walk = { .visit = visit,
								 .context = context };
	struct stat st;

	walk.unreadable = unreadable;
	int fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_os(err, "cannot read a directory");
		cleanup_fd_p(&fd);
		return -1;
	}
	const struct tree_entry top = { "", ".", fd, &st };
	if (enter(&walk, fd, 0, err) < 0 || visit(&top, context, err) < 0)
		return -1;
	while (walk.count > 0) {
		const struct level *level = &walk.levels[walk.count - 1];

		if (cli_interrupted())
			return cli_fail_interrupted(err);
		if (level->next < level->names.count ? visit_next(&walk, err) < 0
						     : leave(&walk, err) < 0)
			return -1;
	}
	return 0;
}

int tree_open(int top_fd, const char *path, struct error *err)
{
	return path_open_beneath(top_fd, path[0] ? path : ".", O_PATH | O_NOFOLLOW, err);
}

/* Something else may stand in the place of a directory above; too long a path was never made. */
bool tree_is_absent(const struct error *err)
{
	return err->os == ENOENT || err->os == ENOTDIR || err->os == ELOOP ||
	       err->os == ENAMETOOLONG;
}

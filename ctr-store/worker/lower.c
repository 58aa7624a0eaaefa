/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/lower.h"

#include "ctr-store/worker/create.h"
#include "ctr-store/worker/meta.h"
#include "ctr-store/worker/relocate.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct lean {
	struct dir *dir;
	char *name, *target;
	bool replaced; /* by something that came later in the archive */
};

void leans_add(struct leans *leans, struct dir *dir, const char *name, const struct name *target)
{
	char *path = target->parent[0] ? xasprintf("%s/%s", target->parent, target->leaf)
				       : xstrdup(target->leaf);

	leans->items = xgrow(leans->items, leans->count, sizeof *leans->items);
	leans->items[leans->count++] =
		(struct lean){ .dir = dir, .name = xstrdup(name), .target = path };
}

void leans_free(struct leans *leans)
{
	for (size_t i = 0; i < leans->count; i++) {
		free(leans->items[i].name);
		free(leans->items[i].target);
	}
	free(leans->items);
	*leans = (struct leans){ 0 };
}

/* A parent whose owner, mode and so on only lower layers can tell. */
static bool is_implied(const struct dir *dir)
{
	return !dir->declared && dir->parent && !dir->fresh && !tree_is_hidden(dir->parent) &&
	       !tree_is_dead(dir);
}

bool lower_is_needed(struct tree *tree, const struct leans *leans)
{
	if (leans->count > 0 || tree->root->opaque)
		return true;
	for (const struct dir *dir = tree->root; dir; dir = dir->next_made)
		if (is_implied(dir))
			return true;
	return false;
}

/* ---- directories ----------------------------------------------------------------------------- */

/* Overlayfs merges the roots of all layers whatever their attributes say, so an opaque root
 * becomes a whiteout of each name that is there. */
static int hide_root(struct tree *tree, int lower_fd, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (!tree->root->opaque)
		return 0;
	if (directory_names(lower_fd, ".", &names) < 0)
		return error_os(err, "cannot read the lower layers");
	for (size_t i = 0; i < names.count; i++)
		if (create_whiteout(tree, tree->root, names.items[i], err) < 0)
			return -1;
	tree->root->opaque = false;
	return 0;
}

static bool is_absent(const struct error *err)
{
	return err->os == ENOENT || err->os == ENOTDIR || err->os == ELOOP;
}

static int adopt(struct tree *tree, struct dir *dir, int lower_fd, struct error *err)
{
	cleanup_fd int fd = openat(lower_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_meta struct meta meta = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "lower layer");
	if (meta_from_file(fd, &st, &meta, err) < 0 ||
	    tree->media->declare(tree, dir, &meta, err) < 0)
		return -1;
	dir->mode = meta.mode;
	dir->mtime = meta.mtime;
	return 0;
}

/* Give an implied directory what it has in the lower layers. */
static int finish_implied(struct tree *tree, struct dir *dir, int lower_fd, const char *path,
			  struct error *err)
{
	char target[PATH_MAX];
	struct stat st;
	cleanup_fd int fd = path_open_beneath(lower_fd, path, O_PATH | O_NOFOLLOW, err);

	if (fd < 0)
		return is_absent(err) ? 0 : -1;
	if (fstat(fd, &st) < 0)
		return error_os(err, "lower layer");
	if (S_ISDIR(st.st_mode))
		return adopt(tree, dir, fd, err);
	if (!S_ISLNK(st.st_mode))
		return 0;

	ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
	if (length < 0)
		return error_os(err, "lower layer");
	target[length] = '\0';
	return relocate(tree, dir, target, err);
}

/* The list of directories may grow at its end while it is walked. */
static int finish_implied_all(struct tree *tree, int lower_fd, struct error *err)
{
	char path[NAME_PATH_MAX + 1];

	for (struct dir *dir = tree->root; dir; dir = dir->next_made) {
		if (!is_implied(dir))
			continue;
		if (tree_path(dir, path, err) < 0)
			return -1;
		if (finish_implied(tree, dir, lower_fd, path, err) < 0)
			return error_prefix(err, "directory \"%s\"", path);
	}
	return 0;
}

/* ---- hard links ------------------------------------------------------------------------------ */

/* A lower file that was copied: further links to it are links to the copy. */
struct copy {
	dev_t device;
	ino_t inode;
	const struct lean *first;
};

struct links {
	struct tree *tree;
	int lower_fd;
	void *copies; /* a tree of struct copy, by tsearch(3) */
};

static int compare_copies(const void *left, const void *right)
{
	const struct copy *a = left, *b = right;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->inode > b->inode) - (a->inode < b->inode);
}

static struct dir *home_of(const struct lean *lean)
{
	struct dir *dir = lean->dir;

	while (dir->moved_to)
		dir = dir->moved_to;
	return dir;
}

static int copy_file(struct links *links, const struct lean *lean, const struct stat *st,
		     struct error *err)
{
	struct tree *tree = links->tree;
	cleanup_meta struct meta meta = { 0 };
	cleanup_fd int in = path_open_in_root(links->lower_fd, lean->target,
					      O_RDONLY | O_NOFOLLOW | O_NONBLOCK, err);

	if (in < 0 || meta_from_file(in, st, &meta, err) < 0 ||
	    create_file(tree, home_of(lean), lean->name, &meta, st->st_size, err) < 0 ||
	    tree->media->copy(tree, in, err) < 0)
		return -1;
	return tree->media->file_end(tree, &meta, err);
}

static int copy_symlink(struct links *links, const struct lean *lean, int lower_fd,
			const struct meta *meta, struct error *err)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(lower_fd, "", target, sizeof target - 1);

	if (length < 0)
		return error_os(err, "cannot read a link of a lower layer");
	target[length] = '\0';
	return create_symlink(links->tree, home_of(lean), lean->name, target, meta, err);
}

static int copy_up(struct links *links, const struct lean *lean, int lower_fd,
		   const struct stat *st, struct error *err)
{
	struct meta meta = { .mode = st->st_mode & 07777,
			     .uid = st->st_uid,
			     .gid = st->st_gid,
			     .mtime = st->st_mtim };

	if (S_ISREG(st->st_mode))
		return copy_file(links, lean, st, err);
	if (S_ISLNK(st->st_mode))
		return copy_symlink(links, lean, lower_fd, &meta, err);
	if (S_ISDIR(st->st_mode))
		return error_set(err, ERROR_INTEGRITY, "a hard link to a directory");
	return create_node(links->tree, home_of(lean), lean->name, st->st_mode & S_IFMT,
			   st->st_rdev, &meta, err);
}

/* 0: linked; 1: the layer has no such file. */
static int link_within(struct links *links, const struct lean *lean, struct error *err)
{
	struct name target;
	struct dir *dir;

	if (name_parse_target(lean->target, &target, err) < 0 ||
	    tree_walk(links->tree, links->tree->root, target.parent, false, &dir, err) < 0)
		return -1;
	if (!dir)
		return 1;
	return create_link(links->tree, home_of(lean), lean->name, dir, target.leaf, err);
}

static int link_below(struct links *links, const struct lean *lean, struct error *err)
{
	struct stat st;
	cleanup_fd int fd = -1;

	if (links->lower_fd >= 0) {
		fd = path_open_in_root(links->lower_fd, lean->target, O_PATH | O_NOFOLLOW, err);
		if (fd < 0 && !is_absent(err))
			return -1;
	}
	if (fd < 0)
		return error_set(err, ERROR_INTEGRITY,
				 "a hard link to \"%s\", which is in no layer", lean->target);
	if (fstat(fd, &st) < 0)
		return error_os(err, "lower layer");

	struct copy key = { st.st_dev, st.st_ino, lean };
	struct copy *const *known = tfind(&key, &links->copies, compare_copies);
	int status = known ? create_link(links->tree, home_of(lean), lean->name,
					 home_of((*known)->first), (*known)->first->name, err)
			   : 1;
	if (status <= 0)
		return status;
	if (copy_up(links, lean, fd, &st, err) < 0)
		return -1;

	struct copy *copy = xcalloc(1, sizeof *copy);
	*copy = key;
	if (!tsearch(copy, &links->copies, compare_copies))
		free(copy); /* no memory: the next link becomes a copy of its own */
	return 0;
}

/* Whether something has the link's name already, or nothing is to have it any more. */
static bool is_replaced(struct tree *tree, const struct lean *lean)
{
	struct dir *dir = home_of(lean);
	enum media_kind kind =
		tree_is_dead(dir) ? MEDIA_OTHER : tree->media->kind(tree, dir, lean->name);

	return kind != MEDIA_NOTHING && kind != MEDIA_WHITEOUT;
}

/* Before directories are moved: one with the name of a link has come after it. */
static void note_replaced(struct tree *tree, const struct leans *leans)
{
	for (size_t i = 0; i < leans->count; i++)
		leans->items[i].replaced = is_replaced(tree, &leans->items[i]);
}

static int finish_link(struct links *links, const struct lean *lean, struct error *err)
{
	if (lean->replaced || is_replaced(links->tree, lean))
		return 0;

	int status = link_within(links, lean, err);
	return status == 1 ? link_below(links, lean, err) : status;
}

static int finish_links(struct links *links, const struct leans *leans, struct error *err)
{
	for (size_t i = 0; i < leans->count; i++)
		if (finish_link(links, &leans->items[i], err) < 0)
			return error_prefix(err, "entry \"%s\"", leans->items[i].name);
	return 0;
}

int lower_finish(struct tree *tree, const struct leans *leans, int lower_fd, struct error *err)
{
	struct links links = { .tree = tree, .lower_fd = lower_fd };

	note_replaced(tree, leans);
	/* the root may also become opaque when directories are moved */
	if (lower_fd >= 0 &&
	    (hide_root(tree, lower_fd, err) < 0 || finish_implied_all(tree, lower_fd, err) < 0 ||
	     hide_root(tree, lower_fd, err) < 0))
		return -1;

	int status = finish_links(&links, leans, err);
	tdestroy(links.copies, free);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/tree.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LINKS_MAX = 40, TABLE_START = 1024, IMPLIED_MODE = 0755 };

/* ---- records --------------------------------------------------------------------------------- */

static uint32_t hash_of(const struct dir *parent, const char *name)
{
	/* FNV-1a over the name, begun with the parent's place in memory */
	uint64_t hash = 14695981039346656037ULL ^ (uintptr_t)parent;

	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		hash = (hash ^ *c) * 1099511628211ULL;
	return (uint32_t)(hash ^ hash >> 32);
}

static struct dir **bucket(const struct tree *tree, uint32_t hash)
{
	return &tree->table[hash & (tree->table_size - 1)];
}

static void hash_insert(struct tree *tree, struct dir *dir)
{
	struct dir **at = bucket(tree, dir->hash);

	dir->next_hashed = *at;
	*at = dir;
	tree->hashed++;
}

static void hash_remove(struct tree *tree, const struct dir *dir)
{
	struct dir **at = bucket(tree, dir->hash);

	while (*at != dir)
		at = &(*at)->next_hashed;
	*at = dir->next_hashed;
	tree->hashed--;
}

static void hash_grow(struct tree *tree)
{
	struct dir **old = tree->table;
	size_t old_size = tree->table_size;

	tree->table_size *= 2;
	tree->table = xcalloc(tree->table_size, sizeof(struct dir *));
	tree->hashed = 0;
	for (size_t i = 0; i < old_size; i++)
		for (struct dir *dir = old[i], *next; dir; dir = next) {
			next = dir->next_hashed;
			hash_insert(tree, dir);
		}
	free(old);
}

struct dir *tree_find(const struct tree *tree, const struct dir *dir, const char *name)
{
	uint32_t hash = hash_of(dir, name);
	struct dir *found = *bucket(tree, hash);

	while (found &&
	       (found->hash != hash || found->parent != dir || strcmp(found->name, name) != 0))
		found = found->next_hashed;
	return found;
}

static struct dir *record(struct tree *tree, struct dir *parent, const char *name)
{
	size_t length = strlen(name);
	struct dir *dir = xcalloc(1, sizeof *dir + length + 1);

	memcpy(dir->name, name, length + 1);
	dir->parent = parent;
	dir->mode = IMPLIED_MODE;
	*tree->last_made = dir;
	tree->last_made = &dir->next_made;
	if (!parent)
		return dir;
	dir->hash = hash_of(parent, name);
	if (tree->hashed >= tree->table_size)
		hash_grow(tree);
	hash_insert(tree, dir);
	return dir;
}

/* Bytes of the path from the root. Not kept, since a directory above may be moved. */
static size_t path_length(const struct dir *dir)
{
	size_t length = 0;

	for (; dir->parent; dir = dir->parent)
		length += strlen(dir->name) + (dir->parent->parent ? 1 : 0);
	return length;
}

static int check_path_length(size_t length, struct error *err)
{
	if (length > NAME_PATH_MAX)
		return error_set(err, ERROR_INTEGRITY, "path is longer than %d bytes",
				 NAME_PATH_MAX);
	return 0;
}

int tree_path(const struct dir *dir, char path[static NAME_PATH_MAX + 1], struct error *err)
{
	size_t end = path_length(dir);

	if (check_path_length(end, err) < 0)
		return -1;
	path[end] = '\0';
	for (; dir->parent; dir = dir->parent) {
		size_t length = strlen(dir->name);

		end -= length;
		memcpy(path + end, dir->name, length);
		if (dir->parent->parent)
			path[--end] = '/';
	}
	return 0;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void forget_descriptors(struct tree *tree)
{
	for (int i = 0; i < TREE_SLOTS; i++) {
		if (tree->slots[i].dir)
			close(tree->slots[i].fd);
		tree->slots[i].dir = NULL;
	}
	tree->parent_dir = NULL;
}

/* Move slot i to the front. */
static int use_slot(struct tree *tree, int i)
{
	__typeof__(tree->slots[0]) used = tree->slots[i];

	memmove(tree->slots + 1, tree->slots, (size_t)i * sizeof used);
	tree->slots[0] = used;
	return used.fd;
}

int tree_fd(struct tree *tree, struct dir *dir, struct error *err)
{
	char path[NAME_PATH_MAX + 1];

	if (!dir->parent)
		return tree->root_fd;
	for (int i = 0; i < TREE_SLOTS; i++)
		if (tree->slots[i].dir == dir)
			return use_slot(tree, i);

	if (tree_path(dir, path, err) < 0)
		return -1;
	int fd = path_open_beneath(tree->root_fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, err);
	if (fd < 0)
		return -1;
	if (tree->slots[TREE_SLOTS - 1].dir)
		close(tree->slots[TREE_SLOTS - 1].fd);
	tree->slots[TREE_SLOTS - 1].dir = dir;
	tree->slots[TREE_SLOTS - 1].fd = fd;
	return use_slot(tree, TREE_SLOTS - 1);
}

/* ---- changes --------------------------------------------------------------------------------- */

int tree_count(struct tree *tree, struct error *err)
{
	if (++tree->entries <= tree->entries_max)
		return 0;
	error_set(err, ERROR_LIMIT, "more than %lld entries", tree->entries_max);
	return error_hint(err, "see --max-entries");
}

int tree_remove(struct tree *tree, struct dir *dir, const char *name, struct error *err)
{
	struct dir *old = tree_find(tree, dir, name);
	int fd = tree_fd(tree, dir, err);

	if (fd < 0)
		return -1;
	if (!old) {
		tree->parent_dir = NULL; /* may have led through it, if it is a symbolic link */
		if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
			return error_os(err, "cannot replace it");
		return 0;
	}
	if (path_remove_tree(fd, name, err) < 0)
		return -1;
	old->dead = true;
	hash_remove(tree, old);
	forget_descriptors(tree);
	return 0;
}

struct dir *tree_make(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
		      struct error *err)
{
	bool replaces = false;
	int fd = tree_fd(tree, dir, err);

	if (fd < 0 || check_path_length(path_length(dir) + 1 + strlen(name), err) < 0)
		return NULL;
	if (mkdirat(fd, name, mode) < 0) {
		if (errno != EEXIST) {
			error_os(err, "cannot make directory %s", name);
			return NULL;
		}
		/* a file or a whiteout of this layer: either way nothing beneath shows through */
		replaces = true;
		if (tree_remove(tree, dir, name, err) < 0)
			return NULL;
		if (mkdirat(fd, name, mode) < 0) {
			error_os(err, "cannot make directory %s", name);
			return NULL;
		}
	}

	struct dir *made = record(tree, dir, name);
	made->fresh = replaces;
	return made;
}

void tree_move(struct tree *tree, struct dir *dir, struct dir *to)
{
	forget_descriptors(tree);
	hash_remove(tree, dir);
	dir->parent = to;
	dir->hash = hash_of(to, dir->name);
	hash_insert(tree, dir);
}

bool tree_is_whiteout(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(0, 0);
}

/* ---- walking --------------------------------------------------------------------------------- */

/* What is still to be walked; grows at the front by the targets of symbolic links. */
struct walk {
	struct dir *at;
	char text[2 * PATH_MAX];
	const char *rest; /* of text */
	int links;
};

/* Take the next component out of the rest; false at the end. */
static bool take_component(struct walk *walk, char name[static NAME_LEAF_MAX + 1],
			   struct error *err, int *status)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");

	*status = 0;
	if (length == 0)
		return false;
	if (length > NAME_LEAF_MAX) {
		*status = error_set(err, ERROR_INTEGRITY, "name is longer than %d bytes",
				    NAME_LEAF_MAX);
		return false;
	}
	memcpy(name, start, length);
	name[length] = '\0';
	walk->rest = start + length;
	return true;
}

static int follow(struct walk *walk, const char *target, size_t length, struct error *err)
{
	size_t rest = strlen(walk->rest);

	if (++walk->links > LINKS_MAX)
		return error_set(err, ERROR_INTEGRITY, "too many symbolic links");
	if (length + rest + 1 > sizeof walk->text)
		return error_set(err, ERROR_INTEGRITY, "symbolic links lead to too long a path");
	if (target[0] == '/')
		while (walk->at->parent)
			walk->at = walk->at->parent;
	/* the rest is empty or begins with a slash */
	memmove(walk->text + length, walk->rest, rest + 1);
	memcpy(walk->text, target, length);
	walk->rest = walk->text;
	return 0;
}

/* One component that is no known directory: a symbolic link, or nothing, or in the way.
 * 1: walked on; 0: not there; -1: error. */
static int walk_unknown(struct tree *tree, struct walk *walk, const char *name, bool make,
			struct error *err)
{
	char target[PATH_MAX];
	int fd = tree_fd(tree, walk->at, err);

	if (fd < 0)
		return -1;
	ssize_t length = readlinkat(fd, name, target, sizeof target);
	if (length >= 0)
		return follow(walk, target, (size_t)length, err) < 0 ? -1 : 1;
	if (errno != ENOENT && errno != EINVAL)
		return error_os(err, "%s", name);
	if (errno == EINVAL && !tree_is_whiteout(fd, name))
		return error_set(err, ERROR_INTEGRITY, "%s is not a directory", name);
	if (!make)
		return 0;
	if (tree_count(tree, err) < 0)
		return -1;

	struct dir *made = tree_make(tree, walk->at, name, IMPLIED_MODE, err);
	if (!made)
		return -1;
	walk->at = made;
	return 1;
}

static int walk_component(struct tree *tree, struct walk *walk, const char *name, bool make,
			  struct error *err)
{
	struct dir *known;

	if (strcmp(name, ".") == 0)
		return 1;
	if (strcmp(name, "..") == 0) {
		/* only out of a symbolic link's target; above the root is the root */
		walk->at = walk->at->parent ? walk->at->parent : walk->at;
		return 1;
	}
	known = tree_find(tree, walk->at, name);
	if (!known)
		return walk_unknown(tree, walk, name, make, err);
	walk->at = known;
	return 1;
}

int tree_walk(struct tree *tree, struct dir *from, const char *path, bool make, struct dir **ret,
	      struct error *err)
{
	struct walk walk;
	char name[NAME_LEAF_MAX + 1];
	size_t length = strlen(path);
	int status;

	if (length > NAME_PATH_MAX)
		return error_set(err, ERROR_INTEGRITY, "path is longer than %d bytes",
				 NAME_PATH_MAX);
	if (make && from == tree->root && tree->parent_dir && strcmp(tree->parent, path) == 0) {
		*ret = tree->parent_dir;
		return 0;
	}
	walk.at = path[0] == '/' ? tree->root : from;
	walk.links = 0;
	memcpy(walk.text, path, length + 1);
	walk.rest = walk.text;
	while (take_component(&walk, name, err, &status)) {
		status = walk_component(tree, &walk, name, make, err);
		if (status < 0)
			return -1;
		if (status == 0) {
			*ret = NULL;
			return 0;
		}
	}
	if (status < 0)
		return -1;
	*ret = walk.at;
	if (make && from == tree->root) {
		memcpy(tree->parent, path, length + 1);
		tree->parent_dir = walk.at;
	}
	return 0;
}

/* ---- whole trees ----------------------------------------------------------------------------- */

int tree_start(struct tree *tree, int root_fd, long long entries_max, struct error *err)
{
	/* whatever the caller's directory inherited (set-group-ID, ACLs) would be passed on */
	cleanup_fd int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, IMPLIED_MODE) < 0)
		return error_os(err, "target directory");
	(void)fremovexattr(fd, "system.posix_acl_default");
	*tree = (struct tree){ .root_fd = root_fd, .entries_max = entries_max };
	tree->table_size = TABLE_START;
	tree->table = xcalloc(tree->table_size, sizeof(struct dir *));
	tree->last_made = &tree->root;
	record(tree, NULL, "");
	return 0;
}

void tree_free(struct tree *tree)
{
	forget_descriptors(tree);
	for (struct dir *dir = tree->root, *next; dir; dir = next) {
		next = dir->next_made;
		free(dir);
	}
	free(tree->table);
}

bool tree_is_dead(const struct dir *dir)
{
	while (dir && !dir->dead)
		dir = dir->parent;
	return dir;
}

bool tree_is_hidden(const struct dir *dir)
{
	while (dir && !dir->opaque && !dir->fresh)
		dir = dir->parent;
	return dir;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/tree.h"

#include "lib/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 40, TABLE_START = 1024 };

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
	dir->mode = TREE_IMPLIED_MODE;
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

	tree->parent_dir = NULL; /* may have led through it */
	if (!old)
		return tree->media->remove(tree, dir, name, err);
	if (tree->media->remove_directory(tree, dir, name, err) < 0)
		return -1;
	old->dead = true;
	hash_remove(tree, old);
	return 0;
}

struct dir *tree_make(struct tree *tree, struct dir *dir, const char *name, mode_t mode,
		      struct error *err)
{
	if (check_path_length(path_length(dir) + 1 + strlen(name), err) < 0)
		return NULL;
	int status = tree->media->directory(tree, dir, name, mode, err);
	/* a file or a whiteout of this layer: either way nothing beneath shows through */
	bool replaces = status == MEDIA_TAKEN;

	if (replaces && tree_remove(tree, dir, name, err) == 0)
		status = tree->media->directory(tree, dir, name, mode, err);
	if (status != 0) {
		if (status == MEDIA_TAKEN)
			error_set(err, ERROR_FAILED, "cannot make directory %s", name);
		return NULL;
	}

	struct dir *made = record(tree, dir, name);
	made->fresh = replaces;
	return made;
}

void tree_move(struct tree *tree, struct dir *dir, struct dir *to)
{
	tree->parent_dir = NULL;
	hash_remove(tree, dir);
	dir->parent = to;
	dir->hash = hash_of(to, dir->name);
	hash_insert(tree, dir);
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
	ssize_t length = tree->media->read_link(tree, walk->at, name, target, sizeof target);

	if (length >= 0)
		return follow(walk, target, (size_t)length, err) < 0 ? -1 : 1;
	if (length == -MEDIA_TAKEN && tree->media->kind(tree, walk->at, name) != MEDIA_WHITEOUT)
		return error_set(err, ERROR_INTEGRITY, "%s is not a directory", name);
	if (!make)
		return 0;
	if (tree_count(tree, err) < 0)
		return -1;

	struct dir *made = tree_make(tree, walk->at, name, TREE_IMPLIED_MODE, err);
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

int tree_start(struct tree *tree, const struct media *media, void *state, long long entries_max,
	       struct error *err)
{
	*tree = (struct tree){ .media = media, .media_state = state, .entries_max = entries_max };
	tree->table_size = TABLE_START;
	tree->table = xcalloc(tree->table_size, sizeof(struct dir *));
	tree->last_made = &tree->root;
	record(tree, NULL, "");
	return media->start(tree, err);
}

void tree_free(struct tree *tree)
{
	if (tree->media)
		tree->media->free(tree);
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

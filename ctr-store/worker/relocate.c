/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/relocate.h"

enum { HOPS_MAX = 40 };

static int merge(struct tree *tree, struct dir *from, struct dir *to, struct error *err);

/* `name` is in both places. */
static int merge_same(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		      struct error *err)
{
	struct dir *child = tree_find(tree, from, name), *other = tree_find(tree, to, name);

	while (other && other->moved_to)
		other = other->moved_to;
	if (child && other && !child->declared)
		return merge(tree, child, other, err);
	return error_set(err, ERROR_INTEGRITY,
			 "\"%s\" is also where a symbolic link of a lower layer leads to", name);
}

static int move_one(struct tree *tree, struct dir *from, struct dir *to, const char *name,
		    bool is_whiteout, struct error *err)
{
	struct dir *child = tree_find(tree, from, name);
	int status = tree->media->move(tree, from, to, name, err);

	if (status == 0 && child)
		tree_move(tree, child, to);
	if (status != MEDIA_TAKEN)
		return status;
	return is_whiteout ? tree->media->remove(tree, from, name, err)
			   : merge_same(tree, from, to, name, err);
}

struct merging {
	struct tree *tree;
	struct dir *from, *to;
};

static int merge_each(void *context, const char *name, bool is_whiteout, struct error *err)
{
	const struct merging *merging = context;

	return move_one(merging->tree, merging->from, merging->to, name, is_whiteout, err);
}

/* Leaves `from` empty, and removes it. */
static int merge(struct tree *tree, struct dir *from, struct dir *to, struct error *err)
{
	struct merging merging = { tree, from, to };

	from->moved_to = to;
	if (tree->media->list(tree, from, merge_each, &merging, err) < 0)
		return -1;
	to->has_whiteouts |= from->has_whiteouts;
	to->opaque |= from->opaque;
	return tree_remove(tree, from->parent, from->name, err);
}

int relocate(struct tree *tree, struct dir *dir, const char *target, struct error *err)
{
	struct dir *to;

	if (tree_walk(tree, dir->parent, target, true, &to, err) < 0)
		return -1;
	for (const struct dir *above = to; above->parent; above = above->parent)
		if (above == dir)
			return error_set(err, ERROR_INTEGRITY, "it is a link into itself");
	if (dir->hops >= HOPS_MAX)
		return error_set(err, ERROR_INTEGRITY, "too many symbolic links");
	if (to->hops <= dir->hops)
		to->hops = (uint8_t)(dir->hops + 1);
	return merge(tree, dir, to, err);
}

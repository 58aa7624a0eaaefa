/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/finish.h"

struct place {
	struct tree *tree;
	struct dir *dir;
};

static int drop_whiteout(void *context, const char *name, bool is_whiteout, struct error *err)
{
	const struct place *place = context;

	return is_whiteout ? place->tree->media->remove(place->tree, place->dir, name, err) : 0;
}

static enum media_mark mark_of(const struct dir *dir)
{
	if (!tree_is_hidden(dir))
		return dir->has_whiteouts ? MARK_WHITEOUTS : MARK_NONE;
	return dir->parent && !tree_is_hidden(dir->parent) ? MARK_OPAQUE : MARK_NONE;
}

static int finish(struct tree *tree, struct dir *dir, struct error *err)
{
	struct place place = { tree, dir };

	if (dir->has_whiteouts && tree_is_hidden(dir) &&
	    tree->media->list(tree, dir, drop_whiteout, &place, err) < 0)
		return -1;
	return tree->media->finish(tree, dir, mark_of(dir), err);
}

int finish_directories(struct tree *tree, struct error *err)
{
	char path[NAME_PATH_MAX + 1];

	for (struct dir *dir = tree->root; dir; dir = dir->next_made) {
		if (tree_is_dead(dir))
			continue;
		if (tree_path(dir, path, err) < 0)
			return -1;
		if (finish(tree, dir, err) < 0)
			return error_prefix(err, "directory \"%s\"", path);
	}
	return tree->media->end(tree, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a layer can only be finished on top of the layers beneath (the comment at the head of
 * main.c): `lower_fd` shows those merged, or is -1 when there are none. Names are resolved in it
 * as in a container's root.
 */
#pragma once
#include "ctr-store/worker/tree.h"

/* Hard links whose target is not in the layer. Zero-initialise it. */
struct leans {
	struct lean *items;
	size_t count;
};

/* Note that `name` in `dir` is to become a hard link to `target`. */
void leans_add(struct leans *leans, struct dir *dir, const char *name, const struct name *target);
void leans_free(struct leans *leans);

/* Is there anything to finish? */
bool lower_is_needed(struct tree *tree, const struct leans *leans);

int lower_finish(struct tree *tree, const struct leans *leans, int lower_fd, struct error *err);

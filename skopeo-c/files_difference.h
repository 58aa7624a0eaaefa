/* SPDX-License-Identifier: Apache-2.0 */
/* In what files the layers of two images differ, once they are put on top of each other. Pure. */
#pragma once
#include "skopeo-c/layer_files.h"

/* Layers in their order, the lowest first; borrowed. */
struct layer_stack {
	const struct layer_files **layers;
	size_t count;
};

/* Tell of each path of which the stacks do not say the same, sorted: {path, A, B}, where A or B is
 * missing where that stack says nothing of it. Times are not compared. `tell` takes over the row;
 * when it fails, this does. */
int files_difference(const struct layer_stack *a, const struct layer_stack *b,
		     int (*tell)(void *context, json_t *row, struct error *err), void *context,
		     struct error *err);

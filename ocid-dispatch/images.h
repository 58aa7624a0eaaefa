/* SPDX-License-Identifier: Apache-2.0 */
/* Images of the store, for other handlers. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct rpc_context;

/* The row of `ctr-store image` for what is really called `name`; *row stays NULL when there is
 * none. The caller owns it. */
int images_find(const struct rpc_context *context, const char *name, json_t **row,
		struct error *err);

/* The error that there is no such image. Returns -1. */
int images_missing(const char *name, struct error *err);

/* What the store, which is generous to people, is asked for `name`; what it finds must then be
 * looked at with images_is_called(). The caller frees it. */
char *images_question(const char *name, struct error *err);

/* Whether the image of a row is really called so. */
bool images_is_called(const json_t *row, const char *name);

/* The name of a row, and the one with the digest of its manifest; its id where it has none.
 * Borrowed. */
const char *images_name(const json_t *row);
const char *images_digested(const json_t *row);

/* Whether it can be the beginning of an id, too, which only images_find() looks for. */
bool images_may_be_part(const char *name);

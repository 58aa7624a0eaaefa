/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the catalog as they were last time, RUNROOT/images: JSON Lines after one line that
 * says of which index they are. It is believed only while the index and the directories of blobs
 * are as they were then; anybody may delete it.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stddef.h>

struct layout;
struct store;

/* What the rows depend on, as text; "" where nothing may be kept. To be taken before anything of it
 * is read. The caller frees it. */
char *catalog_cache_key(const struct layout *layout);

/* The rows that were kept for the key, one a line; NULL where there are none. The caller frees it.
 */
char *catalog_cache_read(const struct store *store, const char *key, size_t *length);

/* The row on a line. The caller owns it. */
json_t *catalog_cache_parse(const char *line, struct error *err);

/* The row of an image id among those lines, or NULL. The caller owns it. */
json_t *catalog_cache_find(const char *lines, const char *id);

/* Keep them. That it cannot be done is no error. */
void catalog_cache_write(const struct store *store, const char *key, const json_t *rows);

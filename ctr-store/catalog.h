/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What images the store has: one row an image, by the digest of its configuration, with all its
 * names: {"id","names","repoDigests","digest","size","created"?,"platform","user"?,"labels",
 * "layers", "store"? (the root of the additional store that it is in)}.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct layout;
struct store;

/* All rows, as an array that the caller owns. Entries of the index that are no image for this
 * machine, or are damaged, are passed over with a warning. */
json_t *catalog_rows(const struct store *store, struct error *err);

/* The row of an image id; ERROR_NOT_FOUND, which says that `name` has just gone. The caller owns
 * it. */
json_t *catalog_row(const struct store *store, const char *id, const char *name, struct error *err);

/* Print all rows as JSON Lines. */
int catalog_print_lines(const struct store *store, struct error *err);

/* The row of the image that `name` means. The caller owns it. */
json_t *catalog_find(const struct store *store, const char *name, struct error *err);

/* What groups entries of the index: the digest of the configuration that the entry leads to, else
 * the entry's own digest. The caller frees it. */
char *catalog_entry_id(const struct layout *layout, const json_t *entry);

/* SPDX-License-Identifier: Apache-2.0 */
/* Which entry of an OCI layout's index a REF means: for oci: and oci-archive:. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* The entry that REF means: a name, "@N" for a position, NULL for the only one. Borrowed; NULL with
 * an error that names `what` where it means none. */
json_t *layout_entry_find(const json_t *manifests, const char *ref, const char *what,
			  struct error *err);

/* A full reference that other tools have left with the entry, or NULL. The caller frees it. */
char *layout_entry_reference(const json_t *entry);

/* Put `descriptor` under the name (or none) into the array, in place of what it supersedes. */
void layout_entry_put(json_t *manifests, const char *name, const json_t *descriptor);

/* Add the name, or else "@N", of each entry to `names`. */
void layout_entry_names(const json_t *manifests, json_t *names);

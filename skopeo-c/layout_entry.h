/* SPDX-License-Identifier: Apache-2.0 */
/* Which entry of an OCI layout's index a REF means: for oci: and oci-archive:. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct manifest;
struct transport;

/* The entry that REF means: a name, "@N" for a position, NULL for the only one, or the only one
 * that does not go with another. Borrowed; NULL with an error that names `what` where it means
 * none. */
json_t *layout_entry_find(const json_t *manifests, const char *ref, const char *what,
			  struct error *err);

/* ERROR_USAGE unless REF, or NULL, may name an image to come: what others could not name is made by
 * nobody. */
int layout_entry_check_name(const char *ref, const char *what, struct error *err);

/* A full reference that other tools have left with the entry, or NULL. The caller frees it. */
char *layout_entry_reference(const json_t *entry);

/* Add the name, or else "@N", of each entry to `names`. */
void layout_entry_names(const json_t *manifests, json_t *names);

/* The descriptors of those manifests that say that they are about `digest`: *entries is the
 * caller's, as is *known, where it is kept which are about what; NULL at first. */
void layout_entry_referrers(struct transport *t, const json_t *manifests, const char *digest,
			    json_t **known, json_t **entries);

/* The descriptor of something that goes with an image, for the index: not under a name that it
 * claims for itself. The caller owns it. */
json_t *layout_entry_companion(const struct manifest *manifest);

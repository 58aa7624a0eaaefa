/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of a list are at their destinations already: one HEAD a side, several at once over
 * the same connections. */
#pragma once
#include "skopeo-c/sync-list.h"

/* Marks items SYNC_UNCHANGED or SYNC_CHANGED; of a source in a registry `digest` is filled. What
 * cannot be said counts as changed: why shows again when it is copied. */
int sync_check(struct sync_list *list, const struct access *destination, struct http *http,
	       size_t parallel, struct error *err);

/* Open the registry of a reference, of the registry itself rather than a mirror. A source with
 * mirrors is ERROR_UNSUPPORTED: only a copy goes through them. */
struct registry;
int sync_open_registry(const char *reference, bool is_destination, const struct access *access,
		       const char *actions, struct http *http, struct registry *registry,
		       struct error *err);

/* The part of a reference behind the repository: its digest, or its tag. The caller frees it. */
char *sync_wanted(const char *reference);

/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of config.json's `mounts` (runtime-spec config.md, "Mounts"). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* A mount entry; options are comma-separated, "" for none. Of those that contradict each other the
 * last is taken. The caller owns it. */
json_t *mount_new(const char *destination, const char *type, const char *source,
		  const char *options);

/* For each option of a mount, whether it counts: neither repeated nor contradicted by a later one.
 * The caller frees it. */
bool *mount_options_that_count(const json_t *options);

/* SRC:DST[:OPTIONS] as a recursive, private bind mount; a relative SRC is taken from the current
 * directory. ERROR_USAGE for a text that is not one. */
json_t *mount_parse_bind(const char *text, struct error *err);

/* DST[:OPTIONS] as a tmpfs. */
json_t *mount_parse_tmpfs(const char *text, struct error *err);

/* A mount entry as JSON; on Windows, paths look otherwise. */
json_t *mount_parse_json(const char *text, bool windows, struct error *err);

/* What a destination is as a mount point: without repeated and final slashes, "/" for the root. The
 * caller frees it. */
char *mount_place(const char *path);

/* Put a mount into the list in place of the one with the same destination, else at its end. Takes
 * the reference. */
void mounts_put(json_t *mounts, json_t *mount);

/* Take the mount with that destination out of the list, if there is one. */
void mounts_remove(json_t *mounts, const char *destination);

/* A new array in which what is mounted deeper comes later and nothing is hidden by a mount on a
 * directory above it; otherwise in the same order. */
json_t *mounts_sorted(const json_t *mounts);

/* SPDX-License-Identifier: Apache-2.0 */
/* The tags of a repository, page by page (distribution-spec, "Listing Tags"), or likewise the
 * repositories of a registry (distribution's "catalog"). */
#pragma once
#include "lib/error.h"
#include "skopeo-c/registry.h"

#include <jansson.h>

struct tags {
	struct registry *registry; /* borrowed */
	struct registry_call call;
	const char *key; /* what is listed: "tags" or "repositories" */
	json_t *list;	 /* an array of strings, in the registry's order */
	json_t *pages;	 /* the targets that were asked for: an object's keys */
};

/* Start; poll after each http_pump(). Free with tags_free(). */
void tags_start(struct tags *tags, struct registry *registry);
/* The same for the registry's repositories. ERROR_UNSUPPORTED where it does not list them. */
void tags_start_catalog(struct tags *tags, struct registry *registry);
/* 0: not finished. 1: `list` is complete. -1: failed. */
int tags_poll(struct tags *tags, struct error *err);
/* Pump until it is finished. */
int tags_wait(struct tags *tags, struct error *err);
/* All tags of a repository, from the registry itself: mirrors need not have them. Of a blocked one
 * they are those of the first mirror that tells them. The caller owns the array. */
json_t *tags_list(const struct reference *reference, const struct access *access, struct http *http,
		  struct error *err);
/* Where the answer says that its list goes on; NULL in *url where it does not. The caller frees it.
 */
int tags_next_page(const struct registry_call *call, const char *what, char **url,
		   struct error *err);
void tags_free(struct tags *tags);
#define cleanup_tags __attribute__((cleanup(tags_free)))

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking names from images, and images out of the store: several at once, so that the store is read
 * once for all of them. Nothing changes before removals_finish().
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;
struct store;
struct removals;

struct removal {
	const char *name; /* a name, a digest or an id */
	bool all;	  /* all names of the image, not only this one */
	bool force;	  /* though it is mounted or a container's */
	bool keep;	  /* only take the name: the image stays, nameless if it was the last */
};

/* Holds the gate exclusively until it is finished or freed. */
struct removals *removals_new(const struct store *store, struct error *err);
void removals_free(struct removals *removals);

static inline void removals_free_p(struct removals **removals)
{
	removals_free(*removals);
}
#define cleanup_removals __attribute__((cleanup(removals_free_p)))

/* ERROR_IN_USE says who uses the image. */
int removals_add(struct removals *removals, const struct removal *removal, struct error *err);

/* Add every image that has no tag and that nothing uses: other names are digests. */
int removals_add_untagged(struct removals *removals, struct error *err);

/* Do what was added, and print {"untagged": [names], "removed"?: image id} for each. */
int removals_finish(const struct cli *cli, struct removals *removals, struct error *err);

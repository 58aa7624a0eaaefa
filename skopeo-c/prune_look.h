/* SPDX-License-Identifier: Apache-2.0 */
/* What prune has to know of images beside their tags. */
#pragma once
#include "skopeo-c/prune_plan.h"

struct transport;

/* Fill `made` of the images with candidates, by their configurations. */
int prune_look_ages(struct transport *from, struct prune_plan *plan, struct error *err);

/* Add the digests of what the index names, and of what that names, to an array. Nothing where it is
 * no index, or gone. */
int prune_look_index(struct transport *from, const char *digest, json_t *needs, struct error *err);

/* Fill `needs` of the indexes of which a tag stays. */
int prune_look_needs(struct transport *from, struct prune_plan *plan, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a name on the command line means where both containers and images can be meant. */
#pragma once
#include "ctr-store/image.h"
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

struct target {
	json_t *container;  /* rootfs.json, or NULL */
	struct image image; /* when there is no container */
};

/* Find the container or the image; the flags force one of them. ERROR_NOT_FOUND when there is
 * neither, ERROR_USAGE when the name means both. */
int target_find(const struct store *store, const char *name, bool only_container, bool only_image,
		struct target *target, struct error *err);
void target_free(struct target *target);
#define cleanup_target __attribute__((cleanup(target_free)))

/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `check`: each looks at one kind of object and notes what it finds. */
#pragma once
#include "lib/error.h"
#include "lib/layout.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct store;

struct check {
	const struct store *store;
	struct layout layout;
	bool deep, repair;
	json_t *findings; /* {"object","id","problem","repair"?} */
	json_t *damaged;  /* digests of blobs that are (or were) there and are not what they say */
	size_t remaining; /* findings that were not repaired */
	size_t lost;	  /* those of them that are of containers, which no pull brings back */
};

/* Note a finding; `repair` says what was done about it, or is NULL. */
void check_found(struct check *check, const char *object, const char *id, const char *problem,
		 const char *repair);

/* Every blob has the digest that its name says. */
int check_blobs(struct check *check, struct error *err);

/* Every image of the index has all that it is made of. After check_blobs(). */
int check_images(struct check *check, struct error *err);

/* Every layer directory is what it says, and with `deep` its files are those of its blob. After
 * check_blobs(). */
int check_layers(struct check *check, struct error *err);

/* Every container has its directories, its name and layers. Last. */
int check_containers(struct check *check, struct error *err);

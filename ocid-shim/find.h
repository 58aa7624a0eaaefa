/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people call a container: its id, the name that ctr-store(1) has given it, or the first
 * digits of an id that was drawn at random.
 */
#pragma once
#include "ocid-shim/container.h"

struct store;

/* The id of the container that is called so; the text itself where there is none. NULL with
 * ERROR_USAGE where it is no id, or several begin so. The caller frees it. */
char *find_id(const struct store *store, const char *text, struct error *err);

/* container_open() of the container that is called so. */
int find_container(const struct store *store, const char *text, struct container *container,
		   struct error *err);

/* The same under the container's lock, for who changes something. Returns the lock, a descriptor
 * of the caller's. */
int find_container_locked(const struct store *store, const char *text, struct container *container,
			  struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers whose writes are not brought to the disk (overlayfs' option of that name): nothing
 * waits for the disk when one is unmounted and removed, and none outlives a crash of the machine.
 * rootfs.json holds the boot in which one was made: in another its writes cannot be trusted.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct store;

/* Make a container that is to be volatile: note this boot in its rootfs.json. */
int volatile_mark(json_t *container, struct error *err);

/* ERROR_INTEGRITY for a volatile container of another boot. */
int volatile_check(const json_t *container, struct error *err);

/* The same before a mount, for which the kernel's note that it was mounted so must go. */
int volatile_prepare(const struct store *store, const json_t *container, struct error *err);

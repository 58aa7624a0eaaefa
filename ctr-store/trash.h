/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes leaves its place by one rename into ROOT/tmp, so that it is whole or absent, and is
 * removed there later, when nobody waits for it any more. Nothing is made for that: a full disk has
 * room for it. What a process that is killed has not removed yet is gc's, as all that nobody holds
 * in there (lib/staging.h).
 */
#pragma once
#include "lib/memory.h"

struct store;

/* Zero-initialise the rest. */
struct trash {
	const struct store *store;
	struct strings names; /* in ROOT/tmp */
};

/* 0; or -1 with errno, ENOENT where it is not there. */
int trash_take(struct trash *trash, int dir_fd, const char *name);

/* Remove what was taken; keeps errno. */
void trash_empty(struct trash *trash);
#define cleanup_trash __attribute__((cleanup(trash_empty)))

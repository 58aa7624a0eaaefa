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

/* Where a thing has been counted; that is taken back when its files have to stay. */
struct trash_tally {
	size_t *count; /* or NULL */
	long long *bytes, size;
};

/* Zero-initialise the rest. */
struct trash {
	const struct store *store;
	struct strings names; /* in ROOT/tmp */
	struct trash_tally *tallies;
};

/* 0; or -1 with errno, ENOENT where it is not there. The tally may be NULL. */
int trash_take(struct trash *trash, int dir_fd, const char *name, const struct trash_tally *tally);

/* The same for what is in ROOT/tmp already. */
void trash_add(struct trash *trash, const char *name, const struct trash_tally *tally);

/* Remove what was taken; keeps errno. A warning says what stays for lack of permission: outside of
 * the user namespace other users' files do. */
void trash_empty(struct trash *trash);
#define cleanup_trash __attribute__((cleanup(trash_empty)))

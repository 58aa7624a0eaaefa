/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration taken apart into its leaves: what differs between two, or what one source
 * changed, can be told leaf by leaf. Entries of lists whose order means nothing are known by what
 * they are about (a mount by its destination, a variable by its name, a seccomp rule by its system
 * call), all others by their index.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* An object of PATH → {pointer, value}: the path names the leaf, "/mounts[/proc]/type", and the
 * pointer is where it is. With by_meaning, what says as much as nothing (false, empty, the type of
 * a bind mount) is left out, and mounts that later ones hide say so. The caller owns it. */
json_t *leaves_of(const json_t *config, bool by_meaning);

/* The pointer with "*" for each index of a list and each key that is free; the caller frees it. */
char *leaves_pattern(const char *pointer);

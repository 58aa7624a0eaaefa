/* SPDX-License-Identifier: Apache-2.0 */
/* Working without privileges on the host: in a user namespace (see unshare.c). */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct store;

/* Whether we are in one that is not the system's. */
bool user_namespace_is_own(void);

/* Whether only one user is mapped in it, so that no file can belong to another. */
bool user_namespace_has_one_user(void);

/* Whether overlayfs' own attributes are user.overlay.* in the store rather than trusted.overlay.*:
 * in those of users, also when root looks into one. */
bool user_namespace_marks(const struct store *store);

/* Whether the attributes in the store at `root` are the same ones, so that one mount can have
 * layers of both. */
bool user_namespace_marks_alike(const struct store *store, const char *root);

/* For a failure for lack of privileges: how to get them. Returns -1. */
int user_namespace_hint(struct error *err);

/* The same for the end of a warning: "" for who is root. */
const char *user_namespace_advice(void);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users of a container, found in its own /etc/passwd and /etc/group (image-spec config.md, "User").
 * Both files come from an image: they are resolved beneath the root, must be regular files, and
 * are read to a limit.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/*
 * The value of process.user for "USER[:GROUP]", each a name or a number; an empty USER is root.
 * A group that is not given is the user's own, together with the groups that list the user as a
 * member. Numbers need not be in the files. root_path is opened only when it is needed: a number
 * for a user whose root does not exist (yet) stands as it is.
 * root_path may be NULL: there is none.
 * ERROR_USAGE for a text that cannot be a user, ERROR_NOT_FOUND for a name that is not there.
 */
json_t *user_lookup(const char *root_path, const char *text, struct error *err);

/* Put the gid of a process.user first among its additionalGids, unless it is one of them. A setgid
 * program changes the gid, not these: without it there, the process could shed its group, and pass
 * by a file that denies something to that group alone (CVE-2023-25173). */
void user_add_primary_group(json_t *user);

/* A uid or gid: a decimal number up to 4294967294. */
int user_parse_id(const char *text, unsigned *id, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account of a container: "USER[:GROUP]" and what the texts of its /etc/passwd and /etc/group
 * say about it (passwd(5), group(5)). Lines that are malformed are passed over, and the first that
 * fits counts.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct account {
	char *user, *group; /* as given; group NULL where none was */
	bool user_is_number, group_is_number;
	unsigned uid, gid;
	char *name; /* of the user, where /etc/passwd has one */
	unsigned *groups;
	size_t group_count;
};

/* Split the text; numbers are taken as they are, an empty USER is root. ERROR_USAGE where it
 * cannot be an account. Zero-initialise the account, and free it with account_free(). */
int account_parse(struct account *account, const char *text, struct error *err);

/* Take uid, gid and name from /etc/passwd. ERROR_NOT_FOUND for a name that is not there. The text
 * is changed. */
int account_find_user(struct account *account, char *passwd, struct error *err);

/* Take the gid of a group that was named, or else the groups that list the user, from /etc/group;
 * after account_find_user(). ERROR_NOT_FOUND for a name that is not there. The text is changed. */
int account_find_groups(struct account *account, char *group, struct error *err);

/* As process.user: uid, gid and, where there are some, additionalGids. The caller owns it. */
json_t *account_json(struct account *account);

/* A uid or gid: a decimal number up to 4294967294. One more means "no change" to setuid(2). */
bool account_parse_id(const char *text, unsigned *id);

void account_free(struct account *account);
#define cleanup_account __attribute__((cleanup(account_free)))

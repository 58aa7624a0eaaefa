/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/account.h"
#include "lib/memory.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "short\n"
			     "bad:x:-1:5::/:\n"
			     "bad:x:4294967295:5::/:\n"
			     "user:x:1000:1000::/home:/bin/sh\n"
			     "user:x:1:1::/:\n"
			     "twin:x:1000:7::/:\n"
			     "last:x:9:9";
static const char group[] = "root:x:0:\n"
			    "user:x:1000:\n"
			    "staff:x:50:other,user\n"
			    "prefix:x:51:users,use\n"
			    "again:x:50:user\n"
			    "wheel:x:10:user,\n"
			    "bad:x:z:user\n"
			    "ninth:x:90:last";

static const struct {
	const char *text;
	const char *user; /* as JSON, or NULL for an error */
	enum error_kind kind;
} cases[] = {
	{ "user", "{\"additionalGids\":[10,50],\"gid\":1000,\"uid\":1000}", 0 },
	{ "1000", "{\"additionalGids\":[10,50],\"gid\":1000,\"uid\":1000}", 0 },
	{ "last", "{\"additionalGids\":[90],\"gid\":9,\"uid\":9}", 0 },
	{ "", "{\"gid\":0,\"uid\":0}", 0 },
	{ ":staff", "{\"gid\":50,\"uid\":0}", 0 },
	{ "user:", "{\"additionalGids\":[10,50],\"gid\":1000,\"uid\":1000}", 0 },
	{ "user:staff", "{\"gid\":50,\"uid\":1000}", 0 },
	{ "user:77", "{\"gid\":77,\"uid\":1000}", 0 },
	{ "77:staff", "{\"gid\":50,\"uid\":77}", 0 },
	{ "77", "{\"gid\":0,\"uid\":77}", 0 },
	{ "4294967294:4294967294", "{\"gid\":4294967294,\"uid\":4294967294}", 0 },
	{ "4294967295", NULL, ERROR_USAGE },
	{ "4294967296:0", NULL, ERROR_USAGE },
	{ "0:18446744073709551616", NULL, ERROR_USAGE },
	{ "a:b:c", NULL, ERROR_USAGE },
	{ "a\nroot", NULL, ERROR_USAGE },
	{ "a,b", NULL, ERROR_USAGE },
	{ "nobody", NULL, ERROR_NOT_FOUND },
	{ "bad", NULL, ERROR_NOT_FOUND },
	{ "short", NULL, ERROR_NOT_FOUND },
	{ "user:nogroup", NULL, ERROR_NOT_FOUND },
	{ "user:bad", NULL, ERROR_NOT_FOUND },
};

static json_t *resolve(const char *text, struct error *err)
{
	cleanup_account struct account account = { 0 };
	char *passwd_text = xstrdup(passwd), *group_text = xstrdup(group);
	json_t *user = NULL;

	if (account_parse(&account, text, err) == 0 &&
	    account_find_user(&account, passwd_text, err) == 0 &&
	    (account.group_is_number || account_find_groups(&account, group_text, err) == 0))
		user = account_json(&account);
	free(passwd_text);
	free(group_text);
	return user;
}

int main(void)
{
	unsigned id;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		json_t *user = resolve(cases[i].text, &err);
		char *text = user ? json_dumps(user, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

		is(text, cases[i].user, "%zu: \"%.*s\"", i, (int)strcspn(cases[i].text, "\n"),
		   cases[i].text);
		if (!cases[i].user)
			ok(err.kind == cases[i].kind, "and the kind of its error");
		free(text);
		json_decref(user);
	}
	ok(!account_parse_id("", &id) && !account_parse_id("+1", &id) &&
		   !account_parse_id("0x1", &id) && !account_parse_id(" 1", &id),
	   "ids are decimal digits and nothing else");
	return tap_done();
}

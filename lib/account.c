/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/account.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	GROUPS_MAX = 65536, /* NGROUPS_MAX of Linux */
	NAME_LENGTH_MAX = 255
};

void account_free(struct account *account)
{
	free(account->user);
	free(account->group);
	free(account->name);
	free(account->groups);
}

bool account_parse_id(const char *text, unsigned *id)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > 4294967294U)
			return false;
	}
	*id = (unsigned)value;
	return true;
}

/* One side of the colon. Names are compared with the files, so they cannot hold what separates
 * fields and lines there. */
static int check_part(const char *part, const char *text, bool *is_number, unsigned *id,
		      struct error *err)
{
	*is_number = part[strspn(part, "0123456789")] == '\0';
	if (*is_number && !account_parse_id(part, id))
		return error_set(err, ERROR_USAGE,
				 "user \"%.64s\": a number is too large for an id", text);
	if (strlen(part) > NAME_LENGTH_MAX)
		return error_set(err, ERROR_USAGE, "\"%.64s\" is too long for a user", text);
	for (const unsigned char *c = (const unsigned char *)part; *c; c++)
		if (*c < 0x20 || *c == 0x7f || *c == ':' || *c == ',')
			return error_set(err, ERROR_USAGE, "\"%s\" is not USER[:GROUP]", text);
	return 0;
}

int account_parse(struct account *account, const char *text, struct error *err)
{
	size_t length = strcspn(text, ":");
	const char *group = text[length] ? text + length + 1 : "";

	account->user = length ? xstrndup(text, length) : xstrdup("0");
	account->group = *group ? xstrdup(group) : NULL;
	if (check_part(account->user, text, &account->user_is_number, &account->uid, err) < 0)
		return -1;
	if (!account->group)
		return 0;
	return check_part(account->group, text, &account->group_is_number, &account->gid, err);
}

/* Split the next line of *text at its colons, in place; short lines leave empty fields. */
static bool next_line(char **text, char **fields, size_t count)
{
	char *line = *text;

	if (!*line)
		return false;

	size_t length = strcspn(line, "\n");
	*text = line + length + (line[length] == '\n');
	line[length] = '\0';
	for (size_t i = 0; i < count; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line)
			*line++ = '\0';
	}
	return true;
}

int account_find_user(struct account *account, char *passwd, struct error *err)
{
	enum { NAME, PASSWORD, UID, GID, FIELDS };
	char *fields[FIELDS];
	unsigned uid, gid;

	while (next_line(&passwd, fields, FIELDS)) {
		if (!account_parse_id(fields[UID], &uid) || !account_parse_id(fields[GID], &gid))
			continue;
		if (account->user_is_number ? uid != account->uid
					    : strcmp(fields[NAME], account->user) != 0)
			continue;
		account->uid = uid;
		if (!account->group_is_number)
			account->gid = gid;
		account->name = xstrdup(fields[NAME]);
		return 0;
	}
	if (account->user_is_number)
		return 0;
	return error_set(err, ERROR_NOT_FOUND, "no user \"%s\" in the container's /etc/passwd",
			 account->user);
}

static bool has_member(const char *members, const char *name)
{
	size_t wanted = strlen(name);

	while (*members) {
		size_t length = strcspn(members, ",");

		if (length == wanted && memcmp(members, name, length) == 0)
			return true;
		members += length + (members[length] == ',');
	}
	return false;
}

static int add_group(struct account *account, unsigned gid, struct error *err)
{
	if (gid == account->gid)
		return 0;
	if (account->group_count == GROUPS_MAX)
		return error_set(err, ERROR_LIMIT, "user \"%s\" is in more than %d groups",
				 account->user, GROUPS_MAX);
	account->groups = xgrow(account->groups, account->group_count, sizeof *account->groups);
	account->groups[account->group_count++] = gid;
	return 0;
}

int account_find_groups(struct account *account, char *group, struct error *err)
{
	enum { NAME, PASSWORD, GID, MEMBERS, FIELDS };
	char *fields[FIELDS];
	unsigned gid;

	while (next_line(&group, fields, FIELDS)) {
		if (!account_parse_id(fields[GID], &gid))
			continue;
		if (account->group && strcmp(fields[NAME], account->group) == 0) {
			account->gid = gid;
			return 0;
		}
		if (!account->group && account->name &&
		    has_member(fields[MEMBERS], account->name) && add_group(account, gid, err) < 0)
			return -1;
	}
	if (!account->group)
		return 0;
	return error_set(err, ERROR_NOT_FOUND, "no group \"%s\" in the container's /etc/group",
			 account->group);
}

static int compare_ids(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return (left > right) - (left < right);
}

json_t *account_json(struct account *account)
{
	json_t *user = json_pack("{s:I, s:I}", "uid", (json_int_t)account->uid, "gid",
				 (json_int_t)account->gid);
	json_t *groups = json_array();

	if (account->group_count > 0)
		qsort(account->groups, account->group_count, sizeof *account->groups, compare_ids);
	for (size_t i = 0; i < account->group_count; i++)
		if (i == 0 || account->groups[i] != account->groups[i - 1])
			json_array_append_new(groups, json_integer(account->groups[i]));
	if (json_array_size(groups) > 0)
		json_object_set(user, "additionalGids", groups);
	json_decref(groups);
	return user;
}

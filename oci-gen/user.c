/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/user.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ACCOUNT_FILE_MAX = 4 << 20, /* bytes of /etc/passwd or /etc/group */
	GROUPS_MAX = 65536,	    /* NGROUPS_MAX of Linux */
	NAME_LENGTH_MAX = 255
};

struct account {
	const char *user, *group; /* as given; group NULL where none was */
	unsigned uid, gid;
	char *name; /* of the user, where /etc/passwd has one */
	unsigned *groups;
	size_t group_count;
};

static void account_free(struct account *account)
{
	free(account->name);
	free(account->groups);
}

/* A decimal number up to 4294967294; one more means "no change" to chown(2) and setuid(2). */
static bool parse_number(const char *text, unsigned *number)
{
	unsigned long value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned long)(*text - '0');
		if (value > 4294967294UL)
			return false;
	}
	*number = (unsigned)value;
	return true;
}

static bool all_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

int user_parse_id(const char *text, unsigned *id, struct error *err)
{
	if (!parse_number(text, id))
		return error_set(err, ERROR_USAGE, "\"%s\" is not a uid or gid (0 to 4294967294)",
				 text);
	return 0;
}

/* A file of the container that exists and is a regular one. -1 with errno ENOENT and no error set
 * where there is none: *missing. The kind of file is looked at before it is opened for reading,
 * because opening a device can do things. */
static int open_account_file(int root_fd, const char *path, bool *missing, struct error *err)
{
	struct stat st;
	cleanup_fd int found = path_open_in_root(root_fd, path, O_PATH, 0, err);

	*missing = found < 0 && (err->os == ENOENT || err->os == ENOTDIR);
	if (found < 0)
		return -1;
	if (fstat(found, &st) < 0)
		return error_os(err, "the container's /%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "the container's /%s is not a regular file",
				 path);

	cleanup_free char *same = xasprintf("/proc/self/fd/%d", found);
	int fd = open(same, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "the container's /%s", path) : fd;
}

/* The text of the file; "" where there is none. The caller frees it. */
static char *read_account_file(int root_fd, const char *path, struct error *err)
{
	struct error reason;
	bool missing;
	size_t length;
	cleanup_fd int fd = open_account_file(root_fd, path, &missing, &reason);

	if (fd < 0 && missing)
		return xstrdup("");
	if (fd < 0) {
		*err = reason;
		return NULL;
	}
	return file_read_fd(fd, ACCOUNT_FILE_MAX, &length, path, err);
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

/* From /etc/passwd: the uid of a name, the gid and the name of a uid. The first line wins. */
static void find_user(struct account *account, char *text, bool *found)
{
	enum { NAME, PASSWORD, UID, GID, FIELDS };
	bool by_number = all_digits(account->user);
	char *fields[FIELDS];
	unsigned uid, gid;

	while (next_line(&text, fields, FIELDS)) {
		if (!parse_number(fields[UID], &uid) || !parse_number(fields[GID], &gid))
			continue;
		if (by_number ? uid != account->uid : strcmp(fields[NAME], account->user) != 0)
			continue;
		account->uid = uid;
		account->gid = gid;
		account->name = xstrdup(fields[NAME]);
		*found = true;
		return;
	}
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
	account->groups =
		xreallocarray(account->groups, account->group_count + 1, sizeof *account->groups);
	account->groups[account->group_count++] = gid;
	return 0;
}

/* From /etc/group: the gid of the group that was named, or the groups that list the user. */
static int find_groups(struct account *account, char *text, bool *found, struct error *err)
{
	enum { NAME, PASSWORD, GID, MEMBERS, FIELDS };
	char *fields[FIELDS];
	unsigned gid;

	while (next_line(&text, fields, FIELDS)) {
		if (!parse_number(fields[GID], &gid))
			continue;
		if (account->group && strcmp(fields[NAME], account->group) == 0) {
			account->gid = gid;
			*found = true;
			return 0;
		}
		if (!account->group && account->name &&
		    has_member(fields[MEMBERS], account->name) && add_group(account, gid, err) < 0)
			return -1;
	}
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return (left > right) - (left < right);
}

static json_t *account_json(struct account *account)
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

/* Look into the files of the root for what the text left open. */
static int resolve(struct account *account, int root_fd, struct error *err)
{
	bool user_found = all_digits(account->user);
	bool group_found = !account->group || all_digits(account->group);
	cleanup_free char *passwd = read_account_file(root_fd, "etc/passwd", err);

	if (!passwd)
		return -1;
	find_user(account, passwd, &user_found);
	if (!user_found)
		return error_set(err, ERROR_NOT_FOUND,
				 "no user \"%s\" in the container's /etc/passwd", account->user);
	if (account->group && group_found) {
		parse_number(account->group, &account->gid);
		return 0;
	}

	cleanup_free char *group = read_account_file(root_fd, "etc/group", err);
	if (!group || find_groups(account, group, &group_found, err) < 0)
		return -1;
	if (!group_found)
		return error_set(err, ERROR_NOT_FOUND,
				 "no group \"%s\" in the container's /etc/group", account->group);
	return 0;
}

/* Names are compared with the files, so they cannot hold what separates fields and lines. */
static int check_part(const char *part, const char *text, struct error *err)
{
	unsigned number;

	if (all_digits(part) && !parse_number(part, &number))
		return error_set(err, ERROR_USAGE, "user \"%s\": %s is too large for an id", text,
				 part);
	for (const unsigned char *c = (const unsigned char *)part; *c; c++)
		if (*c < 0x20 || *c == 0x7f || *c == ':' || *c == ',')
			return error_set(err, ERROR_USAGE, "\"%s\" is not USER[:GROUP]", text);
	if (strlen(part) > NAME_LENGTH_MAX)
		return error_set(err, ERROR_USAGE, "\"%.32s…\" is too long for a user", text);
	return 0;
}

json_t *user_lookup(const char *root_path, const char *text, struct error *err)
{
	__attribute__((cleanup(account_free))) struct account account = { 0 };
	cleanup_free char *user = xstrdup(text);
	char *group = strchr(user, ':');

	if (group)
		*group++ = '\0';
	account.user = *user ? user : "0";
	account.group = group && *group ? group : NULL;
	if (check_part(account.user, text, err) < 0 ||
	    (account.group && check_part(account.group, text, err) < 0))
		return NULL;
	parse_number(account.user, &account.uid);
	if (account.group)
		parse_number(account.group, &account.gid);

	bool numbers = all_digits(account.user) && (!account.group || all_digits(account.group));
	cleanup_fd int root_fd = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 && !numbers) {
		error_os(err, "cannot look up user \"%s\": rootfs %s", text, root_path);
		return NULL;
	}
	if (root_fd >= 0 && !(numbers && account.group) && resolve(&account, root_fd, err) < 0)
		return NULL;
	return account_json(&account);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/user.h"

#include "lib/account.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { ACCOUNT_FILE_MAX = 4 << 20 }; /* bytes of /etc/passwd or /etc/group */

int user_parse_id(const char *text, unsigned *id, struct error *err)
{
	if (!account_parse_id(text, id))
		return error_set(err, ERROR_USAGE, "\"%s\" is not a uid or gid (0 to 4294967294)",
				 text);
	return 0;
}

/* Open a regular file of the container; *missing says that there is none, which may be no error.
 * What kind of file it is has to be known before it is opened for reading, because opening a device
 * can do things: so it is found by O_PATH first. */
static int open_account_file(int root_fd, const char *path, bool *missing, struct error *err)
{
	struct stat st;
	cleanup_fd int found = path_open_in_root(root_fd, path, O_PATH, err);

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

/* Look into the files of the root for what the text left open. */
static int look_up(struct account *account, int root_fd, struct error *err)
{
	cleanup_free char *passwd = read_account_file(root_fd, "etc/passwd", err);

	if (!passwd || account_find_user(account, passwd, err) < 0)
		return -1;
	if (account->group_is_number)
		return 0;

	cleanup_free char *group = read_account_file(root_fd, "etc/group", err);
	return group ? account_find_groups(account, group, err) : -1;
}

void user_add_primary_group(json_t *user)
{
	json_t *gid = json_object_get(user, "gid"),
	       *groups = json_object_get(user, "additionalGids");
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		if (json_equal(group, gid))
			return;
	}
	if (!groups)
		json_object_set_new(user, "additionalGids", json_pack("[O]", gid));
	else
		json_array_insert(groups, 0, gid);
}

json_t *user_lookup(const char *root_path, const char *text, struct error *err)
{
	cleanup_account struct account account = { 0 };

	if (account_parse(&account, text, err) < 0)
		return NULL;

	bool group_open = account.group && !account.group_is_number;
	bool names = !account.user_is_number || group_open;
	cleanup_fd int root_fd = root_path ? open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (!root_path && names) {
		error_set(err, ERROR_USAGE, "cannot look up user \"%s\": there is no rootfs", text);
		return NULL;
	}
	if (root_fd < 0 && names) {
		error_os(err, "cannot look up user \"%s\": rootfs %s", text, root_path);
		return NULL;
	}
	/* two numbers leave nothing open, one leaves the groups, if there is a root to ask */
	if (root_fd >= 0 && (names || !account.group) && look_up(&account, root_fd, err) < 0)
		return NULL;
	return account_json(&account);
}

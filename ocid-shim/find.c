/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/find.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { RANDOM_DIGITS = 64, DIGITS_MIN = 4 };

static bool is_there(const struct store *store, const char *id)
{
	return faccessat(store->run_containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Names are links that ctr-store(1) keeps, each to an id. */
static char *by_name(const struct store *store, const char *name)
{
	cleanup_free char *link = xasprintf("%s/names/%s", store->root, name);
	char id[NAME_MAX + 1];
	ssize_t length = readlink(link, id, sizeof id - 1);

	id[length > 0 ? length : 0] = '\0';
	return path_is_id(id) && is_there(store, id) ? xstrdup(id) : NULL;
}

static bool is_hexadecimal(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

/* Only ids of 64 digits can be cut short: in others, which people have chosen, the beginning of
 * one may be meant to be another's. */
static int by_digits(const struct store *store, const char *digits, char **ret, struct error *err)
{
	size_t length = strlen(digits);
	cleanup_strings struct strings names = { 0 };
	cleanup_free char *id = NULL;

	if (length < DIGITS_MIN || length >= RANDOM_DIGITS || !is_hexadecimal(digits, length))
		return 0;

	if (directory_names(store->run_containers_fd, ".", &names) < 0)
		return error_os(err, "%s/containers", store->runroot);
	for (size_t i = 0; i < names.count; i++) {
		if (strncmp(names.items[i], digits, length) != 0 ||
		    !is_hexadecimal(names.items[i], RANDOM_DIGITS))
			continue;
		if (id)
			return error_set(err, ERROR_USAGE, "\"%s\" means several containers",
					 digits);
		id = xstrdup(names.items[i]);
	}
	*ret = steal_ptr(&id);
	return 0;
}

char *find_id(const struct store *store, const char *text, struct error *err)
{
	if (container_check_id(text, err) < 0)
		return NULL;

	char *id = is_there(store, text) ? xstrdup(text) : by_name(store, text);
	if (!id && by_digits(store, text, &id, err) < 0)
		return NULL;
	return id ? id : xstrdup(text);
}

int find_container(const struct store *store, const char *text, struct container *container,
		   struct error *err)
{
	cleanup_free char *id = find_id(store, text, err);

	return id ? container_open(store, id, container, err) : -1;
}

int find_container_locked(const struct store *store, const char *text, struct container *container,
			  struct error *err)
{
	cleanup_free char *id = find_id(store, text, err);
	cleanup_fd int lock =
		id ? lock_take(store->locks_fd, "container", id, LOCK_EXCLUSIVE, true, err) : -1;

	return lock < 0 || container_open(store, id, container, err) < 0 ? -1 : steal_fd(&lock);
}

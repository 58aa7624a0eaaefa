/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/container_name.h"

#include "ctr-store/container_facts.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_MAX = 128 };

/* ---- the directory ---- */

static int open_directory(const struct store *store)
{
	cleanup_free char *path = xasprintf("%s/names", store->root);

	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Fill the directory, which nobody sees yet, from the containers. */
static int fill(const struct store *store, int names_fd, struct error *err)
{
	json_auto_t *list = container_list(store, err);
	const json_t *container;
	size_t i;

	if (!list)
		return -1;
	json_array_foreach (list, i, container) {
		const char *name = json_text(container, "name", NULL);

		if (name && path_is_id(name) &&
		    symlinkat(json_text(container, "id", ""), names_fd, name) < 0 &&
		    errno != EEXIST)
			return error_os(err, "%s/names/%s", store->root, name);
	}
	return fsync(names_fd) < 0 ? error_os(err, "%s/names", store->root) : 0;
}

static int make_directory(const struct store *store, struct error *err)
{
	cleanup_staging struct staging staging = { .fd = -1, .lock_fd = -1 };
	cleanup_free char *path = xasprintf("%s/names", store->root);

	if (staging_open(store, &staging, err) < 0)
		return -1;
	if (mkdirat(staging.fd, "names", 0700) < 0)
		return error_os(err, "%s", path);
	cleanup_fd int fd = openat(staging.fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_os(err, "%s", path);
	if (fill(store, fd, err) < 0)
		return -1;
	if (renameat2(staging.fd, "names", AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		return error_os(err, "%s", path);
	return 0;
}

/* Whoever needs the directory first makes it, before any container that it could miss. */
static int open_names(const struct store *store, struct error *err)
{
	int fd = open_directory(store);

	if (fd < 0 && errno == ENOENT) {
		cleanup_fd int lock =
			lock_take(store->locks_fd, "tmp", "names", LOCK_EXCLUSIVE, true, err);

		if (lock < 0)
			return -1;
		fd = open_directory(store);
		if (fd < 0 && errno == ENOENT) {
			if (make_directory(store, err) < 0)
				return -1;
			fd = open_directory(store);
		}
	}
	return fd < 0 ? error_os(err, "%s/names", store->root) : fd;
}

/* ---- links ---- */

/* Reads the target into `id`: 1; 0 where there is no link; -1 with errno. */
static int read_link(int names_fd, const char *name, char id[static ID_MAX + 1])
{
	ssize_t length = readlinkat(names_fd, name, id, ID_MAX);

	id[length > 0 ? length : 0] = '\0';
	if (length < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -1;
	return path_is_id(id);
}

/* Where there are no links yet. */
static int find_in_list(const struct store *store, const char *name, char id[static ID_MAX + 1],
			struct error *err)
{
	json_auto_t *list = container_list(store, err);
	const json_t *container;
	size_t i;

	if (!list)
		return -1;
	json_array_foreach (list, i, container) {
		if (strcmp(json_text(container, "name", ""), name) != 0)
			continue;
		snprintf(id, ID_MAX + 1, "%s", json_text(container, "id", ""));
		return 1;
	}
	return 0;
}

char *container_name_find(const struct store *store, const char *name, struct error *err)
{
	cleanup_fd int fd = open_directory(store);
	char id[ID_MAX + 1];
	int found = -1;

	if (fd >= 0 && (found = read_link(fd, name, id)) < 0)
		error_os(err, "%s/names/%s", store->root, name);
	else if (fd < 0 && errno == ENOENT)
		found = find_in_list(store, name, id, err);
	else if (fd < 0)
		error_os(err, "%s/names", store->root);
	if (found == 0)
		error_set(err, ERROR_NOT_FOUND, "no container \"%s\"", name);
	return found > 0 ? xstrdup(id) : NULL;
}

int container_name_set(const struct store *store, const char *name, const char *id,
		       struct error *err)
{
	cleanup_fd int fd = open_names(store, err);

	if (fd < 0)
		return -1;
	/* also what is no link, and so nobody's */
	if (path_remove_tree(fd, name, err) < 0)
		return -1;
	if (symlinkat(id, fd, name) < 0 || fsync(fd) < 0)
		return error_os(err, "%s/names/%s", store->root, name);
	return 0;
}

static bool leads_to(int names_fd, const char *name, const json_t *container)
{
	char id[ID_MAX + 1];

	return read_link(names_fd, name, id) > 0 && container_has_id(container, id);
}

static void forget(const struct store *store, int names_fd, const char *name,
		   const json_t *container)
{
	struct error ignored;

	if (!path_is_id(name) || !leads_to(names_fd, name, container))
		return;
	/* who has the lock looks at the name, or gives it to another container: a link that leads
	 * nowhere does not hinder him */
	cleanup_fd int lock =
		lock_take(store->locks_fd, "name", name, LOCK_EXCLUSIVE, false, &ignored);
	if (lock < 0)
		return;
	/* another container may have got the name by now */
	if (leads_to(names_fd, name, container))
		unlinkat(names_fd, name, 0);
	lock_discard(store->locks_fd, "name", name);
}

void container_name_forget(const struct store *store, const json_t *container)
{
	const char *name = json_text(container, "name", NULL);
	cleanup_fd int fd = open_directory(store);
	cleanup_strings struct strings names = { 0 };

	if (fd < 0)
		return;
	if (name)
		strings_add(&names, name);
	else if (json_is_true(json_object_get(container, "damaged")))
		directory_names(fd, ".", &names);
	for (size_t i = 0; i < names.count; i++)
		forget(store, fd, names.items[i], container);
}

size_t container_name_sweep(const struct store *store)
{
	cleanup_fd int fd = open_directory(store);
	cleanup_strings struct strings names = { 0 };
	char id[ID_MAX + 1];
	size_t count = 0;

	if (fd < 0 || directory_names(fd, ".", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		int found = path_is_id(name) ? read_link(fd, name, id) : -1;

		if (found == 0 ||
		    (found > 0 &&
		     faccessat(store->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		     errno == ENOENT))
			count += unlinkat(fd, name, 0) == 0;
	}
	return count;
}

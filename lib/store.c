/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Make `path` and everything above it, and return its absolute name. */
static char *make_top(const char *path, struct error *err)
{
	/* 0711: a container's root user in a user namespace must reach its root file system */
	if (path_make_dirs(path, 0711, err) < 0)
		return NULL;

	char *absolute = realpath(path, NULL);
	if (!absolute)
		error_os(err, "%s", path);
	return absolute;
}

/* Below /tmp, where a user without a session has it, others may have been first. */
static int check_owner(const char *runroot, struct error *err)
{
	struct stat st;

	if (stat(runroot, &st) < 0)
		return error_os(err, "%s", runroot);
	if (geteuid() != 0 && st.st_uid != geteuid())
		return error_set(err, ERROR_DENIED, "%s belongs to another user", runroot);
	return 0;
}

static int open_sub(const char *top, const char *name, mode_t mode, int *fd, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", top, name);

	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	/* mkdir() only where it is needed: it locks the directory above, which all processes share
	 */
	*fd = open(path, flags);
	if (*fd < 0 && errno == ENOENT) {
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			return error_os(err, "cannot make directory %s", path);
		*fd = open(path, flags);
	}
	return *fd < 0 ? error_os(err, "%s", path) : 0;
}

/* What is in tmp/ gc removes: in a directory that is no store that is somebody else's. A store gets
 * it last. */
static int check_root(const char *root, struct error *err)
{
	cleanup_free char *containers = xasprintf("%s/containers", root);
	cleanup_free char *tmp = xasprintf("%s/tmp", root);

	if (access(containers, F_OK) == 0 || access(tmp, F_OK) < 0 ||
	    access(containers, F_OK) == 0) /* another process makes it just now */
		return 0;
	error_set(err, ERROR_USAGE, "%s is no store, and has a directory tmp of its own", root);
	return error_hint(err, "--root names another directory");
}

int store_open(const struct cli *cli, struct store *store, struct error *err)
{
	static const struct store closed = { .images_fd = -1,
					     .layers_fd = -1,
					     .containers_fd = -1,
					     .tmp_fd = -1,
					     .locks_fd = -1,
					     .mounts_fd = -1,
					     .run_containers_fd = -1,
					     .netns_fd = -1 };
	cleanup_store struct store s = closed;

	s.root = make_top(cli->root, err);
	s.runroot = s.root ? make_top(cli->runroot, err) : NULL;
	if (!s.runroot || check_root(s.root, err) < 0 || check_owner(s.runroot, err) < 0 ||
	    open_sub(s.root, "images", 0755, &s.images_fd, err) < 0 ||
	    open_sub(s.root, "layers", 0711, &s.layers_fd, err) < 0 ||
	    open_sub(s.root, "containers", 0711, &s.containers_fd, err) < 0 ||
	    open_sub(s.root, "tmp", 0700, &s.tmp_fd, err) < 0 ||
	    open_sub(s.runroot, "locks", 0700, &s.locks_fd, err) < 0 ||
	    open_sub(s.runroot, "mounts", 0700, &s.mounts_fd, err) < 0 ||
	    open_sub(s.runroot, "containers", 0700, &s.run_containers_fd, err) < 0 ||
	    open_sub(s.runroot, "netns", 0711, &s.netns_fd, err) < 0) {
		if (err->kind == ERROR_DENIED && !err->hint[0])
			error_hint(err, "--root and --runroot name other directories");
		return -1;
	}
	*store = s;
	s = closed;
	return 0;
}

void store_close(struct store *store)
{
	int fds[] = {
		store->images_fd, store->layers_fd, store->containers_fd,     store->tmp_fd,
		store->locks_fd,  store->mounts_fd, store->run_containers_fd, store->netns_fd
	};

	if (!store->root)
		return;
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		cleanup_fd_p(&fds[i]);
	free(store->root);
	free(store->runroot);
	strings_free(&store->additional);
	store->root = store->runroot = NULL;
}

/* ---- additional stores ---- */

static int add(const char *root, const char *path, struct strings *roots, struct error *err)
{
	cleanup_free char *absolute = realpath(path, NULL);

	/* never "not found", which is for what was asked for */
	if (!absolute) {
		error_set(err, ERROR_FAILED, "additional store %s: %s", path, strerror(errno));
		return error_hint(err, "bring it back, or name it no more: see ctr-store(1)");
	}
	cleanup_free char *own = realpath(root, NULL);
	cleanup_free char *marker = xasprintf("%s/images/oci-layout", absolute);
	if (access(marker, F_OK) < 0) {
		error_set(err, ERROR_FAILED, "additional store %s: it has no images/oci-layout",
			  path);
		return error_hint(err, "it must be the --root of a store");
	}
	if (own && strcmp(own, absolute) == 0)
		return error_set(err, ERROR_USAGE, "additional store %s is the store itself", path);
	for (size_t i = 0; i < roots->count; i++)
		if (strcmp(roots->items[i], absolute) == 0)
			return 0;
	strings_add(roots, absolute);
	return 0;
}

/* What needs nothing of a store that is away goes on without it. */
static int add_if_there(const char *root, const char *path, struct strings *roots,
			struct error *lost, struct error *err)
{
	struct error why;

	if (add(root, path, roots, &why) == 0)
		return 0;
	if (!lost || why.kind != ERROR_FAILED) {
		*err = why;
		return -1;
	}
	log_message(LOG_LEVEL_WARN, "%s: it is left out", why.message);
	*lost = why;
	return 0;
}

static int add_environment(const char *root, struct strings *roots, struct error *lost,
			   struct error *err)
{
	const char *text = getenv("OCID_ADDITIONAL_STORES");

	while (text && *text) {
		size_t length = strcspn(text, ":");
		cleanup_free char *path = xstrndup(text, length);

		if (length && add_if_there(root, path, roots, lost, err) < 0)
			return -1;
		text += length + (text[length] == ':');
	}
	return 0;
}

static int add_configured(const char *root, struct strings *roots, struct error *lost,
			  struct error *err)
{
	cleanup_free char *path = xasprintf("%s/store.json", root);
	json_auto_t *settings = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
	const json_t *list = json_object_get(settings, "additionalimagestores"), *item;
	size_t i;

	if (!settings)
		return err->os == ENOENT ? 0 : -1;
	if (list && !json_is_array(list))
		return error_set(err, ERROR_USAGE, "%s: additionalimagestores is not a list", path);
	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item);

		if (!text || text[0] != '/')
			return error_set(err, ERROR_USAGE,
					 "%s: additionalimagestores: not an absolute path", path);
		if (add_if_there(root, text, roots, lost, err) < 0)
			return error_prefix(err, "%s", path);
	}
	return 0;
}

int store_additional(const char *root, const struct strings *first, struct strings *roots,
		     struct error *lost, struct error *err)
{
	for (size_t i = 0; first && i < first->count; i++)
		if (add(root, first->items[i], roots, err) < 0)
			return -1;
	return add_environment(root, roots, lost, err) < 0 ? -1
							   : add_configured(root, roots, lost, err);
}

bool store_is_complete(const struct store *store)
{
	return store->lost.kind == 0;
}

int store_complete(const struct store *store, struct error *err)
{
	if (store_is_complete(store))
		return 0;
	*err = store->lost;
	return -1;
}

int store_open_images(const struct cli *cli, const struct strings *first, struct store *store,
		      struct error *err)
{
	cleanup_store struct store s = { 0 };

	if (store_open(cli, &s, err) < 0 ||
	    store_additional(s.root, first, &s.additional, &s.lost, err) < 0)
		return -1;
	*store = s;
	s = (struct store){ 0 };
	return 0;
}

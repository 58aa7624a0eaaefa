/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/containers_storage.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/reference.h"
#include "lib/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 64 << 20, CONF_MAX = 1 << 20 /* bytes */ };

/* ---- where it is ---- */

/* The storage.conf that counts; the caller frees it. */
static char *conf_path(void)
{
	const char *given = getenv("CONTAINERS_STORAGE_CONF"), *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");

	if (given && given[0])
		return xstrdup(given);
	if (geteuid() != 0)
		return config && config[0]
			       ? xasprintf("%s/containers/storage.conf", config)
			       : xasprintf("%s/.config/containers/storage.conf", home ? home : "");
	return xstrdup(access("/etc/containers/storage.conf", F_OK) == 0
			       ? "/etc/containers/storage.conf"
			       : "/usr/share/containers/storage.conf");
}

static char *default_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return xstrdup("/var/lib/containers/storage");
	return data && data[0] ? xasprintf("%s/containers/storage", data)
			       : xasprintf("%s/.local/share/containers/storage", home ? home : "");
}

static int read_conf(struct storage *storage, struct error *err)
{
	cleanup_free char *path = conf_path();
	cleanup_free char *text = NULL;
	cleanup_toml struct toml toml = { 0 };
	size_t length;
	int found = file_read_known(path, false, CONF_MAX, &text, &length, err);

	storage->root = default_root();
	storage->driver = xstrdup("overlay");
	if (found <= 0)
		return found;
	if (toml_parse(text, length, path, &toml, err) < 0)
		return -1;
	const json_t *table = json_object_get(toml.root, "storage");
	const char *driver = json_text(table, "driver", ""),
		   *root = json_text(table, "graphroot", "");
	storage->transient = json_is_true(json_object_get(table, "transient_store"));
	if (driver[0]) {
		free(storage->driver);
		storage->driver = xstrdup(driver);
	}
	/* a user's own store is not where the system's is */
	if (root[0] && (geteuid() == 0 || getenv("CONTAINERS_STORAGE_CONF"))) {
		free(storage->root);
		storage->root = xstrdup(root);
	}
	return 0;
}

static void parse_where(struct storage *storage, const char *where)
{
	const char *at = strchr(where, '@');
	const char *root = at ? at + 1 : where;

	storage->driver = at ? xstrndup(where, (size_t)(at - where)) : xstrdup("overlay");
	storage->root = xstrndup(root, strcspn(root, "+:"));
}

static int open_part(const struct storage *storage, const char *end, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s%s", storage->root, storage->driver, end);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		error_set(err, ERROR_NOT_FOUND, "%s is no store of containers: there is no %s",
			  storage->root, path);
		return -1;
	}
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

int storage_open(const char *text, struct storage *storage, const char **name, struct error *err)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	cleanup_free char *where = end ? xstrndup(text + 1, (size_t)(end - text - 1)) : NULL;

	*storage = (struct storage){ .images_fd = -1, .layers_fd = -1, .files_fd = -1 };
	*name = end ? end + 1 : text;
	if (text[0] == '[' && !end)
		return error_set(err, ERROR_USAGE, "containers-storage:%s: \"[\" without \"]\"",
				 text);
	if (where)
		parse_where(storage, where);
	else if (read_conf(storage, err) < 0)
		return -1;
	if (strcmp(storage->driver, "overlay") != 0 && strcmp(storage->driver, "vfs") != 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "stores with the driver \"%s\" cannot be read", storage->driver);
	if ((storage->images_fd = open_part(storage, "-images", err)) < 0 ||
	    (storage->layers_fd = open_part(storage, "-layers", err)) < 0 ||
	    (storage->files_fd = open_part(storage, "", err)) < 0)
		return -1;
	return 0;
}

void storage_close(struct storage *storage)
{
	free(storage->root);
	free(storage->driver);
	cleanup_fd_p(&storage->images_fd);
	cleanup_fd_p(&storage->layers_fd);
	cleanup_fd_p(&storage->files_fd);
}

/* ---- lists ---- */

static int lock_part(int dir_fd, const char *name, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", name);
	if (lock_file(fd, LOCK_SHARED, true, name, err) < 0)
		return -1;
	return steal_fd(&fd);
}

static json_t *read_list(int dir_fd, const char *lock_name, const char *name, struct error *err)
{
	cleanup_fd int lock = lock_part(dir_fd, lock_name, err);
	json_auto_t *list = lock < 0 ? NULL : json_read_at(dir_fd, name, LIST_MAX, err);

	if (!list)
		return NULL;
	if (!json_is_array(list)) {
		error_set(err, ERROR_INTEGRITY, "%s is no list", name);
		return NULL;
	}
	return json_incref(list);
}

int storage_lock_layers(const struct storage *storage, struct error *err)
{
	return lock_part(storage->layers_fd, "layers.lock", err);
}

json_t *storage_images(const struct storage *storage, struct error *err)
{
	return read_list(storage->images_fd, "images.lock", "images.json", err);
}

json_t *storage_layers(const struct storage *storage, struct error *err)
{
	return read_list(storage->layers_fd, "layers.lock", "layers.json", err);
}

/* The full name, or NULL where the text is none; the caller frees it. */
static char *full_name(const char *text)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (reference_parse(text, &reference, &ignored) < 0)
		return NULL;
	reference_default_tag(&reference);
	return reference_text(&reference);
}

const json_t *storage_find_layer(const json_t *layers, const char *id)
{
	const json_t *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
		if (strcmp(json_text(layer, "id", ""), id) == 0)
			return layer;
	}
	return NULL;
}

const json_t *storage_find(const json_t *images, const char *name, const char *what,
			   struct error *err)
{
	const char *id = name[0] == '@' ? name + 1 : name;
	cleanup_free char *full = full_name(name);
	const json_t *image, *by_id = NULL;
	size_t i, matches = 0;

	json_array_foreach (images, i, image) {
		if (full && json_has_text(json_object_get(image, "names"), full))
			return image;
		/* at least as much of an id as cannot be taken for a word */
		if (strlen(id) >= 6 && strncmp(json_text(image, "id", ""), id, strlen(id)) == 0) {
			by_id = image;
			matches++;
		}
	}
	if (matches == 1)
		return by_id;
	error_set(err, matches ? ERROR_USAGE : ERROR_NOT_FOUND,
		  matches ? "%s: several images have such an id" : "%s: no such image in the store",
		  what);
	error_subject(err, what);
	return NULL;
}

/* ---- what belongs to an image ---- */

/* Names with other characters than these are encoded. */
static char *file_name(const char *key)
{
	if (!key[strspn(key, ".0123456789abcdefghijklmnopqrstuvwxyz")])
		return xstrdup(key);
	cleanup_free char *encoded = base64_encode(key, strlen(key));
	return xasprintf("=%s", encoded);
}

int storage_open_file(const struct storage *storage, const char *image_id, const char *key,
		      struct error *err)
{
	cleanup_free char *name = file_name(key);
	cleanup_free char *path = xasprintf("%s/%s", image_id, name);

	if (!path_is_name(image_id) || !path_is_name(name))
		return error_set(err, ERROR_INTEGRITY, "\"%s\" is no id of an image", image_id);
	cleanup_fd int fd = path_open_beneath(storage->images_fd, path, O_RDONLY, err);
	return fd < 0 ? error_prefix(err, "image %s", image_id) : steal_fd(&fd);
}

char *storage_read(const struct storage *storage, const char *image_id, const char *key,
		   size_t *length, struct error *err)
{
	cleanup_fd int fd = storage_open_file(storage, image_id, key, err);

	return fd < 0 ? NULL : file_read_fd(fd, JSON_CONFIG_MAX, length, key, err);
}

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
#include "lib/storage_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 64 << 20 /* bytes */ };

static const char part_key[] = "part";

/* ---- where it is ---- */

/* "[DRIVER@]ROOT[+RUNROOT][:OPTIONS]" */
static void parse_where(const char *where, struct storage_conf *conf)
{
	const char *at = strchr(where, '@'), *options = strchr(where, ':');
	const char *root = at ? at + 1 : where;

	conf->driver = at ? xstrndup(where, (size_t)(at - where)) : NULL;
	conf->root = xstrndup(root, strcspn(root, "+:"));
	if (options)
		storage_conf_add_options(options + 1, &conf->additional);
}

static bool has_driver(const char *root, const char *driver)
{
	cleanup_free char *path = xasprintf("%s/%s-images", root, driver);

	return access(path, F_OK) == 0;
}

static char *find_driver(const struct storage_conf *conf)
{
	const char *root = conf->images ? conf->images : conf->root;

	return xstrdup(!has_driver(root, "overlay") && has_driver(root, "vfs") ? "vfs" : "overlay");
}

/* 0 with *fd, which is -1 where there is no such directory. */
static int open_directory(const char *root, const char *driver, const char *end, int *fd,
			  struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s%s", root, driver, end);

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 && errno != ENOENT ? error_os(err, "%s", path) : 0;
}

static int add_part(struct storage *storage, const char *root, struct error *err)
{
	struct storage_part *part;

	storage->parts = xgrow(storage->parts, storage->part_count, sizeof *storage->parts);
	part = &storage->parts[storage->part_count++];
	*part = (struct storage_part){ .images_fd = -1, .layers_fd = -1, .files_fd = -1 };
	part->root = realpath(root, NULL);
	if (!part->root)
		return error_os(err, "%s", root);
	if (open_directory(root, storage->driver, "-images", &part->images_fd, err) < 0 ||
	    open_directory(root, storage->driver, "-layers", &part->layers_fd, err) < 0)
		return -1;
	return open_directory(root, storage->driver, "", &part->files_fd, err);
}

/* One that nobody has put anything into yet is as good as empty; but not all of them. */
static int check_parts(const struct storage *storage, struct error *err)
{
	for (size_t i = 0; i < storage->part_count; i++)
		if (storage->parts[i].images_fd >= 0)
			return 0;
	return error_set(err, ERROR_NOT_FOUND,
			 "%s is no store of containers: there is no %s-images",
			 storage->parts[0].root, storage->driver);
}

static int open_parts(struct storage *storage, const struct storage_conf *conf, struct error *err)
{
	if ((conf->images && add_part(storage, conf->images, err) < 0) ||
	    add_part(storage, conf->root, err) < 0)
		return -1;
	for (size_t i = 0; i < conf->additional.count; i++) {
		if (add_part(storage, conf->additional.items[i], err) == 0)
			continue;
		/* never "not found", which is for what was asked for */
		if (err->kind == ERROR_NOT_FOUND)
			err->kind = ERROR_FAILED;
		return error_prefix(err, "additional store");
	}
	return check_parts(storage, err);
}

int storage_open(const char *text, struct storage *storage, const char **name, struct error *err)
{
	cleanup_storage_conf struct storage_conf conf = { 0 };
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	cleanup_free char *where = end ? xstrndup(text + 1, (size_t)(end - text - 1)) : NULL;

	*storage = (struct storage){ 0 };
	*name = end ? end + 1 : text;
	if (text[0] == '[' && !end)
		return error_set(err, ERROR_USAGE, "containers-storage:%s: \"[\" without \"]\"",
				 text);
	if (where)
		parse_where(where, &conf);
	else if (storage_conf_read(&conf, err) < 0)
		return -1;
	storage->root = xstrdup(conf.root);
	storage->driver = conf.driver ? steal_ptr(&conf.driver) : find_driver(&conf);
	storage->transient = conf.transient;
	if (strcmp(storage->driver, "overlay") != 0 && strcmp(storage->driver, "vfs") != 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "stores with the driver \"%s\" cannot be read", storage->driver);
	return open_parts(storage, &conf, err);
}

void storage_close(struct storage *storage)
{
	for (size_t i = 0; i < storage->part_count; i++) {
		free(storage->parts[i].root);
		cleanup_fd_p(&storage->parts[i].images_fd);
		cleanup_fd_p(&storage->parts[i].layers_fd);
		cleanup_fd_p(&storage->parts[i].files_fd);
	}
	free(storage->parts);
	free(storage->root);
	free(storage->driver);
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

/* Add what a part has to the list, each entry with the part's number; a store that is new has no
 * list yet. */
static int add_list(json_t *all, size_t part, int dir_fd, const char *lock_name, const char *name,
		    struct error *err)
{
	if (dir_fd < 0)
		return 0;

	cleanup_fd int lock = lock_part(dir_fd, lock_name, err);
	json_auto_t *list = lock < 0 ? NULL : json_read_at(dir_fd, name, LIST_MAX, err);
	json_t *entry;
	size_t i;

	if (lock >= 0 && !list && err->os == ENOENT)
		return 0;
	if (!list)
		return -1;
	if (!json_is_array(list))
		return error_set(err, ERROR_INTEGRITY, "%s is no list", name);
	json_array_foreach (list, i, entry) {
		json_object_set_new(entry, part_key, json_integer((json_int_t)part));
	}
	json_array_extend(all, list);
	return 0;
}

int storage_lock_layers(const struct storage_part *part, struct error *err)
{
	return lock_part(part->layers_fd, "layers.lock", err);
}

json_t *storage_images(const struct storage *storage, struct error *err)
{
	json_auto_t *all = json_array();

	for (size_t i = 0; i < storage->part_count; i++)
		if (add_list(all, i, storage->parts[i].images_fd, "images.lock", "images.json",
			     err) < 0)
			return NULL;
	return json_incref(all);
}

json_t *storage_layers(const struct storage *storage, struct error *err)
{
	json_auto_t *all = json_array();

	for (size_t i = 0; i < storage->part_count; i++)
		if (add_list(all, i, storage->parts[i].layers_fd, "layers.lock", "layers.json",
			     err) < 0)
			return NULL;
	return json_incref(all);
}

const struct storage_part *storage_part(const struct storage *storage, const json_t *entry)
{
	return &storage->parts[json_integer_value(json_object_get(entry, part_key))];
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

/* Several parts may have an image. */
static bool is_same(const json_t *image, const json_t *other)
{
	return other && json_equal(json_object_get(image, "id"), json_object_get(other, "id"));
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
		if (strlen(id) >= 6 && strncmp(json_text(image, "id", ""), id, strlen(id)) == 0 &&
		    !is_same(image, by_id)) {
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

int storage_open_file(const struct storage *storage, const json_t *image, const char *key,
		      struct error *err)
{
	const char *image_id = json_text(image, "id", "");
	cleanup_free char *name = file_name(key);
	cleanup_free char *path = xasprintf("%s/%s", image_id, name);

	if (!path_is_name(image_id) || !path_is_name(name))
		return error_set(err, ERROR_INTEGRITY, "\"%s\" is no id of an image", image_id);
	cleanup_fd int fd =
		path_open_beneath(storage_part(storage, image)->images_fd, path, O_RDONLY, err);
	return fd < 0 ? error_prefix(err, "image %s", image_id) : steal_fd(&fd);
}

char *storage_read(const struct storage *storage, const json_t *image, const char *key,
		   size_t *length, struct error *err)
{
	cleanup_fd int fd = storage_open_file(storage, image, key, err);

	return fd < 0 ? NULL : file_read_fd(fd, JSON_CONFIG_MAX, length, key, err);
}

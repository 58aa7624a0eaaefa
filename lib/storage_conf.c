/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/storage_conf.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/toml.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONF_MAX = 1 << 20 /* bytes */ };

static const char file_name[] = "storage.conf";

/* ---- files ---- */

/* A list replaces what files before have, or is added to it where an element {append = BOOLEAN},
 * of this file or the last that has one, says so. */
static void merge_list(json_t *merged, const json_t *table, const char *key, const char *mark)
{
	const json_t *list = json_object_get(table, key), *item;
	json_t *old = json_object_get(merged, key);
	json_auto_t *own = json_array();
	size_t i;

	if (!list)
		return;
	json_array_foreach (list, i, item) {
		if (json_is_string(item))
			json_array_append(own, (json_t *)item);
		else if (json_object_get(item, "append"))
			json_object_set(merged, mark, json_object_get(item, "append"));
	}
	if (old && json_is_true(json_object_get(merged, mark)))
		json_array_extend(old, own);
	else
		json_object_set(merged, key, own);
}

/* 1: it is added; 0: there is no such file, which is an error where it is required. */
static int add_file(json_t *merged, const char *path, bool required, bool is_systems,
		    struct error *err)
{
	static const char *const keys[] = {
		"driver",     "graphroot",	 "rootless_storage_path",
		"imagestore", "transient_store", NULL
	};
	cleanup_free char *text = NULL;
	cleanup_toml struct toml toml = { 0 };
	size_t length;
	int found = file_read_known(path, required, CONF_MAX, &text, &length, err);

	if (found <= 0)
		return found;
	if (toml_parse(text, length, path, &toml, err) < 0)
		return -1;
	const json_t *table = json_object_get(toml.root, "storage");
	for (const char *const *key = keys; *key; key++) {
		json_t *value = json_object_get(table, *key);

		/* distributions ship a file with root's graphroot, which podman before 6 took
		 * for that of root alone */
		if (value && !(is_systems && config_user() != 0 && strcmp(*key, "graphroot") == 0))
			json_object_set(merged, *key, value);
	}
	merge_list(merged, json_object_get(table, "options"), "additionalimagestores", "append");
	return 1;
}

/* The same for a file that a variable names. */
static int add_named(json_t *merged, const char *path, struct error *err)
{
	return add_file(merged, path, true, false, err) < 0 ? error_missing_is(err, ERROR_USAGE)
							    : 1;
}

static int add_usual(json_t *merged, struct error *err)
{
	cleanup_strings struct strings files = { 0 }, directories = { 0 }, drop_ins = { 0 };
	int status = 0;

	config_files(file_name, &files);
	for (size_t i = 0; i < files.count && status == 0; i++)
		status = add_file(merged, files.items[i], false, i + 2 >= files.count, err);
	config_directories("storage", ".conf.d", &directories);
	if (status < 0 || config_drop_ins(&directories, ".conf", &drop_ins, err) < 0)
		return -1;
	for (size_t i = 0; i < drop_ins.count; i++)
		if (add_file(merged, drop_ins.items[i], false, false, err) < 0)
			return -1;
	return 0;
}

static int add_all(json_t *merged, struct error *err)
{
	const char *named = getenv("CONTAINERS_STORAGE_CONF");
	const char *last = getenv("CONTAINERS_STORAGE_CONF_OVERRIDE");
	int status = named && named[0] ? add_named(merged, named, err) : add_usual(merged, err);

	if (status >= 0 && last && last[0])
		status = add_named(merged, last, err);
	return status < 0 ? -1 : 0;
}

/* ---- what they say ---- */

/* "$UID" is the user's id, "$NAME" and "${NAME}" are of the environment. */
static char *expand(const char *text)
{
	cleanup_buffer struct buffer all = { 0 };

	while (*text) {
		size_t plain = strcspn(text, "$");
		bool is_braced = text[plain] && text[plain + 1] == '{';
		const char *start = text + plain + (text[plain] != '\0') + is_braced;
		size_t length = 0;

		while (isalnum((unsigned char)start[length]) || start[length] == '_')
			length++;
		cleanup_free char *name = xstrndup(start, text[plain] ? length : 0);
		cleanup_free char *user = xasprintf("%u", config_user());
		const char *value = strcmp(name, "UID") == 0 ? user : getenv(name);

		buffer_append(&all, text, plain);
		buffer_add(&all, value ? value : "");
		text = text[plain] ? start + length + (is_braced && start[length] == '}') : start;
	}
	return buffer_take_text(&all);
}

/* Where it really is, which is how podman has it in the names of a policy. */
static char *place(const char *text)
{
	char *expanded = expand(text), *real = realpath(expanded, NULL);

	if (!real)
		return expanded;
	free(expanded);
	return real;
}

static char *default_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (config_user() == 0)
		return xstrdup("/var/lib/containers/storage");
	return data && data[0] ? xasprintf("%s/containers/storage", data)
			       : xasprintf("%s/.local/share/containers/storage", home ? home : "");
}

static char *choose_root(const json_t *merged)
{
	const char *root = json_text(merged, "graphroot", ""),
		   *own = json_text(merged, "rootless_storage_path", "");

	if (root[0])
		return place(root);
	return own[0] && config_user() != 0 ? place(own) : default_root();
}

void storage_conf_add_options(const char *options, struct strings *additional)
{
	while (*options) {
		size_t length = strcspn(options, ",");
		cleanup_free char *option = xstrndup(options, length);
		const char *value = strstr(option, "imagestore=");

		if (value)
			strings_add(additional, value + strlen("imagestore="));
		options += length + (options[length] == ',');
	}
}

int storage_conf_read(struct storage_conf *conf, struct error *err)
{
	json_auto_t *merged = json_object();
	const char *chosen = getenv("STORAGE_DRIVER"), *options = getenv("STORAGE_OPTS");
	const json_t *item;
	size_t i;

	*conf = (struct storage_conf){ 0 };
	if (add_all(merged, err) < 0)
		return -1;
	const char *driver = chosen && chosen[0] ? chosen : json_text(merged, "driver", "");
	const char *images = json_text(merged, "imagestore", "");
	conf->driver =
		driver[0] ? xstrdup(strcmp(driver, "overlay2") == 0 ? "overlay" : driver) : NULL;
	conf->root = choose_root(merged);
	conf->images = images[0] ? xstrdup(images) : NULL;
	conf->transient = json_is_true(json_object_get(merged, "transient_store"));
	if (options) {
		storage_conf_add_options(options, &conf->additional);
		return 0;
	}
	json_array_foreach (json_object_get(merged, "additionalimagestores"), i, item) {
		strings_add(&conf->additional, json_string_value(item));
	}
	return 0;
}

void storage_conf_free(struct storage_conf *conf)
{
	free(conf->driver);
	free(conf->root);
	free(conf->images);
	strings_free(&conf->additional);
}

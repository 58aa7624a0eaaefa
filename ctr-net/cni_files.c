/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_files.h"

#include "ctr-net/cni_config.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_extension(const char *name, const char *const *extensions)
{
	const char *dot = strrchr(name, '.');

	for (; dot && *extensions; extensions++)
		if (strcmp(dot, *extensions) == 0)
			return true;
	return false;
}

/* Not a directory, and nothing whose opening would wait; a link that leads nowhere is an error,
 * too.
 */
static bool may_be_file(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

/* The paths of a directory's files with those extensions, sorted. An absent one has none. */
static int list_files(const char *directory, const char *const *extensions, struct strings *files,
		      struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, directory, &names) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", directory);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, names.items[i]);

		if (has_extension(names.items[i], extensions) && may_be_file(path))
			strings_add(files, path);
	}
	return 0;
}

int cni_files_of_plugins(const char *directory, const json_t *config, struct strings *files,
			 struct error *err)
{
	static const char *const extensions[] = { ".conf", NULL };
	cleanup_free char *folder = xasprintf("%s/%s", directory, cni_config_name(config));

	return cni_config_is_open(config) ? list_files(folder, extensions, files, err) : 0;
}

static int add_plugin_files(const char *directory, json_t *config, struct error *err)
{
	cleanup_strings struct strings files = { 0 };

	if (cni_files_of_plugins(directory, config, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++) {
		size_t length;
		cleanup_free char *text =
			file_read_at(AT_FDCWD, files.items[i], CONFIG_FILE_MAX, &length, err);

		if (!text || cni_config_add_plugin(config, text, length, files.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static json_t *read_config(const char *directory, const char *file, struct error *err)
{
	size_t length;
	cleanup_free char *text = file_read_at(AT_FDCWD, file, CONFIG_FILE_MAX, &length, err);
	json_auto_t *config = text ? cni_config_parse(text, length, file, err) : NULL;

	if (!config || add_plugin_files(directory, config, err) < 0 ||
	    cni_config_check(config, file, err) < 0)
		return NULL;
	return json_incref(config);
}

/* A network that is named is looked for in lists before it is in single plugins; the default one is
 * the first of all files. */
enum order { BY_FILE_NAME, LISTS_FIRST };

static int list_configs(const char *directory, enum order order, struct strings *files,
			struct error *err)
{
	static const char *const all[] = { ".conflist", ".conf", ".json", NULL };
	static const char *const lists[] = { ".conflist", NULL };
	static const char *const singles[] = { ".conf", ".json", NULL };
	cleanup_strings struct strings rest = { 0 };

	if (order == BY_FILE_NAME)
		return list_files(directory, all, files, err);
	if (list_files(directory, lists, files, err) < 0 ||
	    list_files(directory, singles, &rest, err) < 0)
		return -1;
	for (size_t i = 0; i < rest.count; i++)
		strings_add(files, rest.items[i]);
	return 0;
}

/* Call `visit` for each configuration in order until it returns true. A file that cannot be used
 * is told of once and passed over: another network must not suffer from it. *unusable: why the
 * first of them cannot be. */
static int for_each(const struct strings *dirs, enum order order,
		    bool (*visit)(void *context, const char *file, json_t *config), void *context,
		    struct error *unusable, struct error *err)
{
	bool any = false;

	for (size_t d = 0; d < dirs->count; d++) {
		cleanup_strings struct strings files = { 0 };

		if (list_configs(dirs->items[d], order, &files, err) < 0)
			return -1;
		for (size_t i = 0; i < files.count; i++) {
			struct error why;
			json_auto_t *config = read_config(dirs->items[d], files.items[i], &why);

			if (config && visit(context, files.items[i], config))
				return 0;
			if (config)
				continue;
			log_message(LOG_LEVEL_WARN, "passing over %s", why.message);
			if (!any)
				*unusable = why;
			any = true;
		}
	}
	return 0;
}

struct search {
	const char *name; /* NULL: any */
	json_t *found;
};

static bool visit_search(void *context, const char *file, json_t *config)
{
	struct search *search = context;

	(void)file;
	if (search->name && strcmp(search->name, cni_config_name(config)) != 0)
		return false;
	search->found = json_incref(config);
	return true;
}

static char *join_dirs(const struct strings *dirs)
{
	char *text = xstrdup(dirs->count ? dirs->items[0] : "");

	for (size_t i = 1; i < dirs->count; i++) {
		char *longer = xasprintf("%s, %s", text, dirs->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

json_t *cni_files_find(const struct strings *dirs, const char *name, struct error *err)
{
	struct search search = { name, NULL };
	struct error unusable = { 0 };

	if (for_each(dirs, name ? LISTS_FIRST : BY_FILE_NAME, visit_search, &search, &unusable,
		     err) < 0)
		return NULL;
	if (search.found)
		return search.found;

	cleanup_free char *where = join_dirs(dirs);
	if (name) {
		error_set(err, ERROR_NOT_FOUND, "no network \"%s\" in %s", name, where);
		error_subject(err, name);
		error_hint(err, "see ctr-net list");
	} else if (unusable.message[0]) {
		error_set(err, unusable.kind, "no network of %s can be used: %s", where,
			  unusable.message);
		error_hint(err, "see ctr-net validate");
	} else {
		error_set(err, ERROR_NOT_FOUND, "no network is configured in %s", where);
		error_hint(err, "make one with ctr-net init, or ask for --network none");
	}
	return NULL;
}

static json_t *row_json(const char *file, const json_t *config)
{
	json_t *row =
		json_pack("{s:O, s:O, s:s, s:[], s:[]}", "name", json_object_get(config, "name"),
			  "cniVersion", json_object_get(config, "cniVersion"), "file", file,
			  "plugins", "capabilities");
	json_t *plugin, *declared;
	const char *capability;
	size_t i;

	json_array_foreach (json_object_get(config, "plugins"), i, plugin) {
		json_array_append(json_object_get(row, "plugins"), json_object_get(plugin, "type"));
		json_object_foreach (json_object_get(plugin, "capabilities"), capability,
				     declared) {
			if (json_is_true(declared))
				json_array_append_new(json_object_get(row, "capabilities"),
						      json_string(capability));
		}
	}
	return row;
}

static bool visit_list(void *context, const char *file, json_t *config)
{
	json_t *row = row_json(file, config);

	json_object_set_new(row, "default", json_boolean(json_array_size(context) == 0));
	json_array_append_new(context, row);
	return false;
}

json_t *cni_files_list(const struct strings *dirs, struct error *err)
{
	json_auto_t *rows = json_array();
	struct error unusable;

	if (for_each(dirs, BY_FILE_NAME, visit_list, rows, &unusable, err) < 0)
		return NULL;
	return json_incref(rows);
}

static bool visit_all(void *context, const char *file, json_t *config)
{
	const json_t *earlier;
	size_t i;

	(void)file;
	json_array_foreach (context, i, earlier) {
		if (strcmp(cni_config_name(earlier), cni_config_name(config)) == 0)
			return false;
	}
	json_array_append(context, config);
	return false;
}

json_t *cni_files_all(const struct strings *dirs, struct error *err)
{
	json_auto_t *configs = json_array();
	struct error unusable;

	if (for_each(dirs, LISTS_FIRST, visit_all, configs, &unusable, err) < 0)
		return NULL;
	return json_incref(configs);
}

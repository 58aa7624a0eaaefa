/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_config.h"

#include "ctr-net/cni_version.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Plugins: each may answer 1 MiB, which the record of the attachment keeps. */
enum { PLUGINS_MAX = 64 };

/* The highest version that both the configuration and we speak (SPEC section 1, "Version
 * considerations"); borrowed. */
static const char *choose_version(const json_t *config)
{
	const char *best = json_text(config, "cniVersion", NULL);
	const json_t *item;
	size_t i;

	if (best && !cni_version_is_supported(best))
		best = NULL;
	json_array_foreach (json_object_get(config, "cniVersions"), i, item) {
		const char *version = json_string_value(item);

		if (version && cni_version_is_supported(version) &&
		    (!best || cni_version_number(version) > cni_version_number(best)))
			best = version;
	}
	return best;
}

/* An error about what the JSON Pointer leads to. */
static int __attribute__((format(printf, 3, 4)))
refuse(struct error *err, const char *pointer, const char *format, ...)
{
	char message[sizeof err->message];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	error_set(err, ERROR_INTEGRITY, "%s", message);
	return error_subject(err, pointer);
}

static int check_versions(const json_t *config, const char *what, struct error *err)
{
	const json_t *versions = json_object_get(config, "cniVersions"), *item;
	size_t i;

	json_array_foreach (versions, i, item) {
		const char *version = json_string_value(item);
		cleanup_free char *pointer = xasprintf("/cniVersions/%zu", i);

		if (!version || cni_version_number(version) < 0)
			return refuse(err, pointer, "%s: an entry of cniVersions is no version",
				      what);
	}
	return 0;
}

static int set_version(json_t *config, const char *what, struct error *err)
{
	const json_t *version = json_object_get(config, "cniVersion");
	const json_t *versions = json_object_get(config, "cniVersions");

	if ((version && !json_is_string(version)) || (versions && !json_is_array(versions)))
		return refuse(err,
			      version && !json_is_string(version) ? "/cniVersion" : "/cniVersions",
			      "%s: cniVersion or cniVersions is malformed", what);
	if (check_versions(config, what, err) < 0)
		return -1;

	const char *chosen = choose_version(config);
	if (!chosen) {
		error_set(err, ERROR_UNSUPPORTED, "%s: CNI version \"%s\" is not supported", what,
			  json_text(config, "cniVersion", ""));
		error_subject(err, "/cniVersion");
		return error_hint(err, "cniVersion %s to %s", CNI_VERSION_MIN, CNI_VERSION_MAX);
	}
	/* a copy first: `chosen` may be borrowed from the value that is replaced */
	json_t *copy = json_string(chosen);
	json_object_set_new(config, "cniVersion", copy);
	json_object_del(config, "cniVersions");
	return 0;
}

static int check_name(const json_t *config, const char *what, struct error *err)
{
	const char *name = json_text(config, "name", NULL);

	if (!name)
		return refuse(err, "/name", "%s: the network has no name", what);
	if (!path_is_id(name))
		return refuse(err, "/name", "%s: \"%s\" cannot be the name of a network", what,
			      name);
	return 0;
}

/* The plugin for addresses, which others run. */
static int check_ipam(const json_t *plugin, const char *pointer, const char *what,
		      struct error *err)
{
	cleanup_free char *at_type = xasprintf("%s/ipam/type", pointer);
	const json_t *type = json_path(plugin, "ipam", "type", NULL);
	const char *text = json_string_value(type);

	if (type && (!text || (*text && (!path_is_name(text) || strchr(text, '\\')))))
		return refuse(err, at_type, "%s: plugin %s: \"%s\" cannot be the type of a plugin",
			      what, json_text(plugin, "type", ""), text ? text : "");
	return 0;
}

/* `pointer` leads to the plugin. */
static int check_plugin(const json_t *plugin, const char *pointer, const char *what,
			struct error *err)
{
	cleanup_free char *at_type = xasprintf("%s/type", pointer);
	cleanup_free char *at_capabilities = xasprintf("%s/capabilities", pointer);
	const char *type = json_text(plugin, "type", NULL);
	json_t *capabilities = json_object_get(plugin, "capabilities"), *declared;
	const char *key;

	if (!json_is_object(plugin) || !type)
		return refuse(err, at_type, "%s: a plugin without \"type\"", what);
	if (!path_is_name(type) || strchr(type, '\\'))
		return refuse(err, at_type, "%s: \"%s\" cannot be the type of a plugin", what,
			      type);
	if (capabilities && !json_is_object(capabilities))
		return refuse(err, at_capabilities, "%s: plugin %s: capabilities is no object",
			      what, type);
	json_object_foreach (capabilities, key, declared) {
		if (!json_is_boolean(declared))
			return refuse(err, at_capabilities,
				      "%s: plugin %s: capability %s is neither true nor false",
				      what, type, key);
	}
	return check_ipam(plugin, pointer, what, err);
}

static int check_plugins(const json_t *config, const char *what, struct error *err)
{
	const json_t *plugins = json_object_get(config, "plugins"), *plugin;
	size_t i;

	if (!json_is_array(plugins))
		return refuse(err, "/plugins", "%s: \"plugins\" is no array", what);
	json_array_foreach (plugins, i, plugin) {
		cleanup_free char *pointer = xasprintf("/plugins/%zu", i);

		if (check_plugin(plugin, pointer, what, err) < 0)
			return -1;
	}
	return 0;
}

/* Booleans, which the reference implementation also takes as text. */
static int check_switches(const json_t *config, const char *what, struct error *err)
{
	static const char *const keys[] = { "disableCheck", "disableGC", "loadOnlyInlinedPlugins" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const json_t *value = json_object_get(config, keys[i]);
		const char *text = json_string_value(value);
		cleanup_free char *pointer = xasprintf("/%s", keys[i]);

		if (value && !json_is_boolean(value) &&
		    (!text || (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)))
			return refuse(err, pointer, "%s: %s is neither true nor false", what,
				      keys[i]);
	}
	return 0;
}

static bool is_true(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_true(value) || (text && strcasecmp(text, "true") == 0);
}

/* A single plugin's configuration as a list of one. Consumes it. */
static json_t *make_list(json_t *plugin)
{
	json_t *list = json_pack("{s:b, s:[o]}", "loadOnlyInlinedPlugins", 1, "plugins", plugin);
	static const char *const keys[] = { "name", "cniVersion", "cniVersions" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_t *value = json_object_get(plugin, keys[i]);

		if (value)
			json_object_set(list, keys[i], value);
	}
	return list;
}

static int normalise(json_t *config, const char *what, struct error *err)
{
	if (check_switches(config, what, err) < 0)
		return -1;
	if (!json_object_get(config, "plugins")) {
		if (is_true(json_object_get(config, "loadOnlyInlinedPlugins")))
			return refuse(err, "/plugins", "%s: there are no plugins", what);
		json_object_set_new(config, "plugins", json_array());
	}
	if (check_name(config, what, err) < 0 || set_version(config, what, err) < 0)
		return -1;
	return check_plugins(config, what, err);
}

json_t *cni_config_parse(const char *text, size_t length, const char *what, struct error *err)
{
	json_t *config = json_parse(text, length, what, err);

	if (config && !json_is_object(config)) {
		json_decref(config);
		error_set(err, ERROR_INTEGRITY, "%s: not a JSON object", what);
		return NULL;
	}
	if (config && json_object_get(config, "type") && !json_object_get(config, "plugins"))
		config = make_list(config);
	if (config && normalise(config, what, err) < 0) {
		json_decref(config);
		return NULL;
	}
	return config;
}

bool cni_config_is_open(const json_t *config)
{
	return !is_true(json_object_get(config, "loadOnlyInlinedPlugins"));
}

int cni_config_add_plugin(json_t *config, const char *text, size_t length, const char *what,
			  struct error *err)
{
	json_auto_t *plugin = json_parse(text, length, what, err);

	if (!plugin || check_plugin(plugin, "", what, err) < 0)
		return -1;
	json_array_append(json_object_get(config, "plugins"), plugin);
	return 0;
}

int cni_config_check(const json_t *config, const char *what, struct error *err)
{
	size_t count = cni_config_plugin_count(config);

	if (count == 0)
		return refuse(err, "/plugins", "%s: there are no plugins", what);
	if (count > PLUGINS_MAX)
		return error_set(err, ERROR_LIMIT, "%s: more than %d plugins", what, PLUGINS_MAX);
	return 0;
}

const char *cni_config_name(const json_t *config)
{
	return json_text(config, "name", "");
}

size_t cni_config_plugin_count(const json_t *config)
{
	return json_array_size(json_object_get(config, "plugins"));
}

static const json_t *plugin_at(const json_t *config, size_t index)
{
	return json_array_get(json_object_get(config, "plugins"), index);
}

const char *cni_config_plugin_type(const json_t *config, size_t index)
{
	return json_text(plugin_at(config, index), "type", "");
}

const char *cni_config_ipam_type(const json_t *config, size_t index)
{
	const char *type = json_text(json_object_get(plugin_at(config, index), "ipam"), "type", "");

	return path_is_name(type) ? type : NULL;
}

bool cni_config_masquerades(const json_t *config, size_t index)
{
	return json_flag(plugin_at(config, index), "ipMasq");
}

static bool plugin_declares(const json_t *plugin, const char *capability)
{
	return json_is_true(json_path(plugin, "capabilities", capability, NULL));
}

bool cni_config_declares(const json_t *config, const char *capability)
{
	for (size_t i = 0; i < cni_config_plugin_count(config); i++)
		if (plugin_declares(plugin_at(config, i), capability))
			return true;
	return false;
}

bool cni_config_speaks(const json_t *config, const char *version)
{
	return cni_version_number(json_text(config, "cniVersion", "")) >=
	       cni_version_number(version);
}

bool cni_config_is_set(const json_t *config, const char *key)
{
	return is_true(json_object_get(config, key));
}

/* Keys that only the runtime may set (SPEC section 1, "Reserved keys"). */
static void remove_reserved(json_t *request)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_del(request, "capabilities");
	json_object_del(request, "runtimeConfig");
	json_object_del(request, "prevResult");
	json_object_foreach_safe (request, next, key, value) {
		if (strncmp(key, "cni.dev/", strlen("cni.dev/")) == 0)
			json_object_del(request, key);
	}
}

json_t *cni_config_request(const json_t *config, size_t index, const json_t *capabilities,
			   const json_t *previous)
{
	const json_t *plugin = plugin_at(config, index);
	json_t *request = json_deep_copy(plugin), *runtime = json_object(), *argument;
	const char *key;

	remove_reserved(request);
	json_object_foreach ((json_t *)capabilities, key, argument) {
		if (plugin_declares(plugin, key))
			json_object_set(runtime, key, argument);
	}
	if (json_object_size(runtime) > 0)
		json_object_set(request, "runtimeConfig", runtime);
	json_decref(runtime);
	json_object_set(request, "name", json_object_get(config, "name"));
	json_object_set(request, "cniVersion", json_object_get(config, "cniVersion"));
	if (previous)
		json_object_set(request, "prevResult", (json_t *)previous);
	return request;
}

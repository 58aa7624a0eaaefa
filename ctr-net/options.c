/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/options.h"

#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/pin.h"
#include "ctr-net/publish.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/path.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_PATH_DEFAULT "/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni"

enum { TIMEOUT_MAX_S = 24 * 60 * 60, CAPABILITY_MAX = 1 << 20 /* bytes */ };

void options_conf_dirs(const struct strings *named, struct strings *dirs)
{
	for (size_t i = 0; i < named->count; i++)
		strings_add(dirs, named->items[i]);
	if (named->count == 0)
		strings_add(dirs, CNI_CONF_DIR_DEFAULT);
}

/* Words with a separator between them, or NULL for none; the caller frees it. */
static char *join(const struct strings *words, char separator)
{
	char *text = NULL;

	for (size_t i = 0; i < words->count; i++) {
		char *longer = text ? xasprintf("%s%c%s", text, separator, words->items[i])
				    : xstrdup(words->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* They are recorded for DEL, which may be run from another directory. */
static char *make_absolute(char *directories)
{
	cleanup_free char *here = getcwd(NULL, 0);
	cleanup_strings struct strings absolute = { 0 };
	char *rest = directories;

	for (const char *one; (one = strsep(&rest, ":"));) {
		if (*one == '/')
			strings_add(&absolute, one);
		else if (*one && here)
			strings_addf(&absolute, "%s/%s", here, one);
	}
	return join(&absolute, ':');
}

char *options_plugin_path_if_any(const struct strings *named)
{
	const char *environment = getenv("CNI_PATH");
	cleanup_free char *given = named->count > 0 ? join(named, ':')
				   : environment    ? xstrdup(environment)
						    : NULL;

	return given ? make_absolute(given) : NULL;
}

char *options_plugin_path(const struct strings *named)
{
	char *path = options_plugin_path_if_any(named);

	return path ? path : xstrdup(PLUGIN_PATH_DEFAULT);
}

/* K=V as SPEC section 2 has it; plugins split at ";" and "=". */
static bool is_argument(const char *word)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word || strpbrk(equals + 1, ";="))
		return false;
	for (const char *c = word; c < equals; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return false;
	return true;
}

int options_args(const struct strings *words, char **args, struct error *err)
{
	for (size_t i = 0; i < words->count; i++)
		if (!is_argument(words->items[i]))
			return error_set(err, ERROR_USAGE,
					 "--arg %s: not K=V, or V holds \";\" or \"=\"",
					 words->items[i]);
	*args = join(words, ';');
	return 0;
}

/* The value of JSON, or of @FILE, where there is room for what is too long for an argument. */
static json_t *capability_value(const char *name, const char *text, struct error *err)
{
	cleanup_free char *what = xasprintf("--cap %s", name);
	cleanup_free char *content = NULL;
	size_t length;

	if (*text == '@') {
		content = file_read_at(AT_FDCWD, text + 1, CAPABILITY_MAX, &length, err);
		if (!content)
			return error_prefix(err, "%s", what), NULL;
	}
	/* wrapped, so that a string or a number alone is also taken */
	cleanup_free char *wrapped = xasprintf("[%s]", content ? content : text);
	json_auto_t *list = json_parse(wrapped, strlen(wrapped), what, err);
	if (list && json_array_size(list) == 1)
		return json_incref(json_array_get(list, 0));
	error_set(err, ERROR_USAGE, "%s: \"%s\" is not a JSON value", what, text);
	error_hint(err, "a string needs its quotes: --cap 'mac=\"c2:11:22:33:44:55\"'");
	return NULL;
}

static int add_capability(json_t *all, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');
	cleanup_free char *name = equals ? xstrndup(word, (size_t)(equals - word)) : NULL;

	if (!name || !*name)
		return error_set(err, ERROR_USAGE, "--cap %s: not NAME=JSON", word);
	if (json_object_get(all, name))
		return error_set(err, ERROR_USAGE, "capability %s is given twice", name);

	json_t *value = capability_value(name, equals + 1, err);
	if (!value)
		return -1;
	json_object_set_new(all, name, value);
	return 0;
}

static int add_published(json_t *all, const struct strings *published, struct error *err)
{
	json_auto_t *mappings = json_array();

	for (size_t i = 0; i < published->count; i++)
		if (publish_parse(published->items[i], mappings, err) < 0)
			return -1;
	if (published->count == 0)
		return 0;
	if (json_object_get(all, "portMappings"))
		return error_set(err, ERROR_USAGE,
				 "--publish and --cap portMappings exclude each other");
	json_object_set(all, "portMappings", mappings);
	return 0;
}

json_t *options_capabilities(const struct strings *words, const struct strings *published,
			     struct error *err)
{
	json_auto_t *all = json_object();

	for (size_t i = 0; i < words->count; i++)
		if (add_capability(all, words->items[i], err) < 0)
			return NULL;
	return add_published(all, published, err) < 0 ? NULL : json_incref(all);
}

json_t *options_take_capabilities(json_t *all, const json_t *config)
{
	json_t *taken = json_object(), *argument;
	const char *name;
	void *next;

	json_object_foreach_safe (all, next, name, argument) {
		if (cni_config_declares(config, name)) {
			json_object_set(taken, name, argument);
			json_object_del(all, name);
		}
	}
	return taken;
}

int options_timeout(long long seconds, struct error *err)
{
	if (seconds < 1 || seconds > TIMEOUT_MAX_S)
		return error_set(err, ERROR_USAGE, "--timeout is 1 to %d seconds", TIMEOUT_MAX_S);
	return (int)seconds * 1000;
}

int options_check_ifname(const char *ifname, struct error *err)
{
	size_t length = strlen(ifname);
	bool valid = length > 0 && length < IF_NAMESIZE && strcmp(ifname, ".") != 0 &&
		     strcmp(ifname, "..") != 0;

	for (const char *c = ifname; *c; c++)
		if (*c == '/' || *c == ':' || !isgraph((unsigned char)*c))
			valid = false;
	return valid ? 0
		     : error_set(err, ERROR_USAGE, "\"%s\" cannot be the name of an interface",
				 ifname);
}

int options_check_id(const char *id, struct error *err)
{
	return path_is_id(id)
		       ? 0
		       : error_set(err, ERROR_USAGE, "\"%s\" cannot be the id of a container", id);
}

char *options_id(const char *id, const char *netns, const char *path, const char *runroot)
{
	const char *name = strrchr(path, '/') + 1;
	cleanup_free char *pinned = pin_path(runroot, PIN_NET, name);
	uint64_t hash =
		0xcbf29ce484222325; /* FNV-1a: loading libcrypto takes longer than all else */

	if (id || !strchr(netns, '/'))
		return xstrdup(id ? id : netns);
	if (path_is_id(name) && strcmp(path, pinned) == 0)
		return xstrdup(name);
	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return xasprintf("netns-%016" PRIx64, hash);
}

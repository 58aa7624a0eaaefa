/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/mounts.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/known.h"

#include <string.h>
#include <unistd.h>

/* How mounts and unmounts here and there spread. */
static const char *const propagation[] = { "private",	 "rprivate",	"shared",
					   "rshared",	 "slave",	"rslave",
					   "unbindable", "runbindable", NULL };

/* What an option is about: those about the same contradict each other. The caller frees it. */
static char *matter_of(const char *option)
{
	static const char *const access_of_this[] = { "ro", "rw", NULL };
	static const char *const access_of_all[] = { "rro", "rrw", NULL };
	static const char *const writing[] = { "async", "sync", NULL };
	static const char *const messages[] = { "loud", "silent", NULL };
	static const char *const *const choices[] = { access_of_this, access_of_all, writing,
						      messages, propagation };

	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (known_in(choices[i], option))
			return xstrdup(choices[i][0]);
	if (strncmp(option, "rno", 3) == 0) /* beside rexec there is rnoexec */
		return xasprintf("r%s", option + 3);
	return xstrdup(option + (strncmp(option, "no", 2) == 0 ? 2 : 0));
}

bool *mount_options_that_count(const json_t *options)
{
	bool *count = xcalloc(json_array_size(options) + 1, sizeof *count);
	json_auto_t *settled = json_object();

	/* for runtimes it is bind and more, wherever it stands */
	if (json_has_text(options, "rbind"))
		json_object_set_new(settled, "bind", json_true());
	for (size_t i = json_array_size(options); i-- > 0;) {
		const char *option = json_string_value(json_array_get(options, i));
		cleanup_free char *matter = option ? matter_of(option) : NULL;

		count[i] = !matter || !json_object_get(settled, matter);
		if (matter)
			json_object_set_new(settled, matter, json_true());
	}
	return count;
}

/* Runtimes do not agree on which of two that contradict each other counts: one is written. */
static json_t *split_options(const char *options)
{
	json_t *list = json_array();

	while (*options) {
		size_t length = strcspn(options, ",");

		if (length > 0)
			json_array_append_new(list, json_stringn(options, length));
		options += length + (options[length] == ',');
	}

	cleanup_free bool *count = mount_options_that_count(list);
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!count[i])
			json_array_remove(list, i);
	return list;
}

json_t *mount_new(const char *destination, const char *type, const char *source,
		  const char *options)
{
	json_t *mount = json_object();

	json_object_set_new(mount, "destination", json_string(destination));
	json_object_set_new(mount, "type", json_string(type));
	json_object_set_new(mount, "source", json_string(source));
	json_object_set_new(mount, "options", split_options(options));
	return mount;
}

/* Options that choose how far a bind mount reaches and what it shares. */
static bool has_option(const char *options, const char *const *wanted)
{
	while (*options) {
		size_t length = strcspn(options, ",");

		for (const char *const *w = wanted; *w; w++)
			if (strlen(*w) == length && memcmp(*w, options, length) == 0)
				return true;
		options += length + (options[length] == ',');
	}
	return false;
}

/* Every option must be one that mounts know; with `data`, KEY=VALUE is for the file system. */
static int check_options(const char *options, bool data, const char *text, struct error *err)
{
	while (*options) {
		size_t length = strcspn(options, ",");
		bool pair = memchr(options, '=', length) != NULL && *options != '=';

		if (length > 0 && !known_mount_option(options, length) && !(data && pair))
			return error_set(err, ERROR_USAGE, "\"%s\": unknown mount option \"%.*s\"",
					 text, (int)length, options);
		options += length + (options[length] == ',');
	}
	return 0;
}

static int check_destination(const char *destination, const char *text, struct error *err)
{
	if (destination[0] != '/')
		return error_set(err, ERROR_USAGE,
				 "\"%s\": the path inside the container must be absolute", text);
	if (destination[strspn(destination, "/")] == '\0')
		return error_set(err, ERROR_USAGE, "\"%s\": nothing can be mounted on /", text);
	return 0;
}

static char *absolute(const char *path, struct error *err)
{
	if (path[0] == '/')
		return xstrdup(path);

	cleanup_free char *directory = getcwd(NULL, 0);
	if (!directory) {
		error_os(err, "current directory");
		return NULL;
	}
	return xasprintf("%s/%s", directory, path);
}

json_t *mount_parse_bind(const char *text, struct error *err)
{
	static const char *const reach[] = { "bind", "rbind", NULL };
	cleanup_free char *source = xstrdup(text);
	char *destination = strchr(source, ':');

	if (!destination || destination == source) {
		error_set(err, ERROR_USAGE, "\"%s\" is not SRC:DST[:OPTIONS]", text);
		return NULL;
	}
	*destination++ = '\0';

	char *options = strchr(destination, ':');
	if (options)
		*options++ = '\0';
	if (check_destination(destination, text, err) < 0 ||
	    (options && check_options(options, false, text, err) < 0))
		return NULL;

	cleanup_free char *path = absolute(source, err);
	if (!path)
		return NULL;
	if (access(path, F_OK) < 0)
		log_message(LOG_LEVEL_WARN, "%s, to be mounted on %s, does not exist", path,
			    destination);
	cleanup_free char *all =
		xasprintf("%s%s%s", has_option(options ? options : "", reach) ? "" : "rbind,",
			  has_option(options ? options : "", propagation) ? "" : "rprivate,",
			  options ? options : "");
	return mount_new(destination, "bind", path, all);
}

json_t *mount_parse_tmpfs(const char *text, struct error *err)
{
	cleanup_free char *destination = xstrdup(text);
	char *options = strchr(destination, ':');

	if (options)
		*options++ = '\0';
	if (check_destination(destination, text, err) < 0 ||
	    (options && check_options(options, true, text, err) < 0))
		return NULL;
	/* what comes last counts, so that the user can have exec, dev or suid */
	cleanup_free char *all =
		xasprintf("nosuid,nodev,noexec%s%s", options ? "," : "", options ? options : "");
	return mount_new(destination, "tmpfs", "tmpfs", all);
}

json_t *mount_parse_json(const char *text, bool windows, struct error *err)
{
	json_auto_t *mount = json_parse(text, strlen(text), "the value", err);
	const char *destination;

	if (!mount) {
		err->kind = ERROR_USAGE;
		return NULL;
	}
	if (!json_is_object(mount) || !(destination = json_text(mount, "destination", NULL))) {
		error_set(err, ERROR_USAGE, "not a JSON object with a \"destination\"");
		return NULL;
	}
	if (!windows && check_destination(destination, destination, err) < 0)
		return NULL;
	return steal_ptr(&mount);
}

char *mount_place(const char *path)
{
	char *normal = xcalloc(strlen(path) + 2, 1), *end = normal;

	while (*(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");

		*end++ = '/';
		end = mempcpy(end, path, length);
		path += length;
	}
	if (end == normal)
		*end = '/';
	return normal;
}

/* Compare paths as mount points: repeated and final slashes do not count. */
static bool same_place(const char *a, const char *b)
{
	for (;;) {
		size_t slashes_a = strspn(a, "/"), slashes_b = strspn(b, "/");

		a += slashes_a;
		b += slashes_b;
		if (!*a || !*b)
			return *a == *b;
		if ((slashes_a > 0) != (slashes_b > 0))
			return false;

		size_t length = strcspn(a, "/");
		if (length != strcspn(b, "/") || memcmp(a, b, length) != 0)
			return false;
		a += length;
		b += length;
	}
}

void mounts_put(json_t *mounts, json_t *mount)
{
	const char *destination = json_text(mount, "destination", "");
	json_t *other;
	size_t i;

	json_array_foreach (mounts, i, other) {
		if (!same_place(json_text(other, "destination", ""), destination))
			continue;
		json_array_set_new(mounts, i, mount);
		return;
	}
	json_array_append_new(mounts, mount);
}

void mounts_remove(json_t *mounts, const char *destination)
{
	for (size_t i = json_array_size(mounts); i-- > 0;)
		if (same_place(json_text(json_array_get(mounts, i), "destination", ""),
			       destination))
			json_array_remove(mounts, i);
}

static size_t depth(const json_t *mount)
{
	size_t components = 0;

	for (const char *c = json_text(mount, "destination", ""); *c; c++)
		if (*c == '/' && c[1] && c[1] != '/')
			components++;
	return components;
}

json_t *mounts_sorted(const json_t *mounts)
{
	json_t *sorted = json_array(), *mount;
	size_t left = json_array_size(mounts), i;
	cleanup_free size_t *depths = xcalloc(left, sizeof *depths);

	json_array_foreach (mounts, i, mount) {
		depths[i] = depth(mount);
	}
	for (size_t level = 0; left > 0; level++) {
		json_array_foreach (mounts, i, mount) {
			if (depths[i] != level)
				continue;
			json_array_append(sorted, mount);
			left--;
		}
	}
	return sorted;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What registries.d says. */
#include "skopeo-c/lookaside.h"

#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/yaml.h"
#include "skopeo-c/policy.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONFIGURATION_MAX = 1 << 20 }; /* bytes of a file */

/* the key of default-docker among the scopes, none of which is empty */
#define DEFAULT_SCOPE ""

void lookaside_free(struct lookaside *lookaside)
{
	free(lookaside->read);
	free(lookaside->write);
	*lookaside = (struct lookaside){ 0 };
}

/* ---- one file ---- */

/* See that a flag is one; it becomes a boolean. */
static bool take_flag(json_t *section, const char *name)
{
	const json_t *value = json_object_get(section, name);
	bool flag;

	if (!value)
		return true;
	return yaml_flag(value, &flag) &&
	       json_object_set_new(section, name, json_boolean(flag)) == 0;
}

/* A key without a value says nothing. */
static void drop_nulls(json_t *section)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe (section, next, name, value) {
		if (json_is_null(value))
			json_object_del(section, name);
	}
}

/* What is unknown is left alone: the file belongs to other programs, too. */
static int check_section(const char *what, const char *scope, json_t *section, struct error *err)
{
	static const char *const texts[] = { "lookaside", "lookaside-staging", "sigstore",
					     "sigstore-staging", NULL };
	static const char *const flags[] = { "use-sigstore-attachments",
					     "accept-bundles-without-identity", NULL };

	if (!json_is_object(section) && !json_is_null(section))
		return error_set(err, ERROR_INTEGRITY, "%s: %s is not a mapping", what, scope);
	drop_nulls(section);
	for (size_t i = 0; texts[i]; i++) {
		const json_t *value = json_object_get(section, texts[i]);

		if (value && !json_is_string(value))
			return error_set(err, ERROR_INTEGRITY, "%s: %s of %s is not a URL", what,
					 texts[i], scope);
	}
	for (size_t i = 0; flags[i]; i++) {
		if (!take_flag(section, flags[i]))
			return error_set(err, ERROR_INTEGRITY, "%s: %s of %s is not true or false",
					 what, flags[i], scope);
	}
	return 0;
}

static int add_section(json_t *sections, const char *what, const char *scope, json_t *section,
		       struct error *err)
{
	const char *name = scope[0] ? scope : "default-docker";

	if (check_section(what, name, section, err) < 0)
		return -1;
	if (json_object_get(sections, scope))
		return error_set(err, ERROR_INTEGRITY, "%s: another file has a section for %s, too",
				 what, name);
	json_object_set(sections, scope, section);
	return 0;
}

int lookaside_add(json_t *sections, const char *text, size_t length, const char *what,
		  struct error *err)
{
	json_auto_t *file = yaml_parse(text, length, what, err);
	json_t *of_docker = json_object_get(file, "docker"), *section;
	json_t *of_all = json_object_get(file, "default-docker");
	const char *scope;

	if (!file)
		return -1;
	if (!json_is_object(file) && !json_is_null(file))
		return error_set(err, ERROR_INTEGRITY, "%s is not a mapping", what);
	if (of_docker && !json_is_object(of_docker) && !json_is_null(of_docker))
		return error_set(err, ERROR_INTEGRITY, "%s: docker is not a mapping", what);
	if (of_all && add_section(sections, what, DEFAULT_SCOPE, of_all, err) < 0)
		return -1;
	json_object_foreach (of_docker, scope, section) {
		if (scope[0] && add_section(sections, what, scope, section, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all files ---- */

/* The directory that an option names. */
static int check_directory(const char *directory, struct error *err)
{
	cleanup_fd int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	error_os(err, "%s", directory);
	return error_missing_is(err, ERROR_USAGE);
}

static int load_file(const char *path, json_t *sections, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length;
	int found = file_read_known(path, false, CONFIGURATION_MAX, &text, &length, err);

	return found > 0 ? lookaside_add(sections, text, length, path, err) : found;
}

static int load(const char *directory, json_t *sections, struct error *err)
{
	cleanup_strings struct strings directories = { 0 }, files = { 0 };

	if (directory && check_directory(directory, err) < 0)
		return -1;
	if (directory)
		strings_add(&directories, directory);
	else
		config_directories("registries", ".d", &directories);
	if (config_drop_ins(&directories, ".yaml", &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (load_file(files.items[i], sections, err) < 0)
			return -1;
	return 0;
}

/* ---- the choice ---- */

static char *default_url(void)
{
	const char *home = getenv("HOME");

	return geteuid() == 0 || !home
		       ? xstrdup("file:///var/lib/containers/sigstore")
		       : xasprintf("file://%s/.local/share/containers/sigstore", home);
}

/* The first value that one of the scopes has under one of the keys; borrowed. */
static const json_t *find(const json_t *sections, const struct strings *scopes,
			  const char *const *keys)
{
	for (size_t i = 0; i < scopes->count; i++) {
		const json_t *section = json_object_get(sections, scopes->items[i]);

		for (size_t k = 0; keys[k]; k++) {
			const json_t *value = json_object_get(section, keys[k]);

			if (value && (!json_is_string(value) || json_string_length(value) > 0))
				return value;
		}
	}
	return NULL;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Put the bytes in the place of their "%XX". False where that is none, or NUL. */
static bool decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		char digits[3] = { 0 }, *end;

		*to = *from;
		if (*from == '%') {
			memcpy(digits, from + 1, strnlen(from + 1, 2));
			*to = (char)strtoul(digits, &end, 16);
			if (!isxdigit((unsigned char)digits[0]) || end != digits + 2 || *to == '\0')
				return false;
			from += 2;
		}
		to++;
	}
	*to = '\0';
	return true;
}

/* "file:PATH" with no host, or with this one, as "file://PATH" with PATH as it is on disk; NULL
 * where it is not that. The caller frees it. */
static char *file_url(const char *url)
{
	const char *path = url + strlen("file:");

	if (starts_with(path, "//"))
		path += 2;
	if (starts_with(path, "localhost/"))
		path += strlen("localhost");
	cleanup_free char *decoded = xstrdup(path);
	return path[0] == '/' && !strpbrk(path, "?#") && decode(decoded)
		       ? xasprintf("file://%s", decoded)
		       : NULL;
}

/* The URL in the one way that we write it: below it stands what is fixed; nothing of it may change
 * what follows. NULL where it may. */
static char *usual_url(const char *url, struct error *err)
{
	bool is_file = starts_with(url, "file:");
	char *usual = is_file ? file_url(url) : strpbrk(url, "?#@") ? NULL : xstrdup(url);

	if (!is_file && !starts_with(url, "https://") && !starts_with(url, "http://"))
		error_set(err, ERROR_UNSUPPORTED,
			  "the lookaside %s is neither file:///PATH nor http(s)", url);
	else if (!usual)
		error_set(err, ERROR_UNSUPPORTED,
			  "the lookaside %s has a host or characters that it must not have", url);
	else
		return usual;
	free(usual);
	return NULL;
}

int lookaside_choose(const json_t *sections, const struct reference *reference,
		     struct lookaside *ret, struct error *err)
{
	static const char *const to_read[] = { "lookaside", "sigstore", NULL };
	static const char *const to_write[] = { "lookaside-staging", "sigstore-staging",
						"lookaside", "sigstore", NULL };
	static const char *const attachments[] = { "use-sigstore-attachments", NULL };
	static const char *const unnamed[] = { "accept-bundles-without-identity", NULL };
	cleanup_strings struct strings scopes = { 0 };

	policy_scopes_of_reference(reference, &scopes);
	strings_add(&scopes, DEFAULT_SCOPE);
	const json_t *read = find(sections, &scopes, to_read);
	const json_t *write = find(sections, &scopes, to_write);
	cleanup_lookaside struct lookaside lookaside = {
		.read = read ? usual_url(json_string_value(read), err) : default_url(),
		.write = write ? usual_url(json_string_value(write), err) : default_url(),
		.attachments = json_is_true(find(sections, &scopes, attachments)),
		.accept_unnamed = json_is_true(find(sections, &scopes, unnamed)),
	};
	if (!lookaside.read || !lookaside.write)
		return -1;
	*ret = lookaside;
	lookaside = (struct lookaside){ 0 };
	return 0;
}

int lookaside_find(const char *directory, const struct reference *reference,
		   struct lookaside *lookaside, struct error *err)
{
	json_auto_t *sections = json_object();

	return load(directory, sections, err) < 0
		       ? -1
		       : lookaside_choose(sections, reference, lookaside, err);
}

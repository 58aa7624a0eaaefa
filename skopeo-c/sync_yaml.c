/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML file of sync (skopeo-sync(1), "YAML file content"): for each registry
 *
 *   images: {REPOSITORY: [TAG-OR-DIGEST…]}   an empty list: all tags
 *   images-by-tag-regex: {REPOSITORY: PATTERN}
 *   images-by-semver: {REPOSITORY: CONSTRAINT}
 *   credentials: {username, password}, tls-verify, cert-dir
 */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/yaml.h"
#include "skopeo-c/sync_list.h"

#include <fcntl.h>
#include <string.h>

enum { YAML_MAX = 4 << 20 /* bytes */ };

struct reading {
	struct sync_list *list;
	const char *path;
	const struct tag_filter *filter;
	const struct sync_target *target;
	struct http *http;
};

static int malformed(const struct reading *reading, const char *registry, const char *what,
		     struct error *err)
{
	return error_set(err, ERROR_USAGE, "%s: %s: %s", reading->path, registry, what);
}

/* ---- one registry ---- */

/* A key without a value says nothing. */
static bool is_said(const json_t *value)
{
	return value && !json_is_null(value);
}

static int read_credentials(const struct reading *reading, const char *registry,
			    const json_t *credentials, struct access *access, struct error *err)
{
	const char *user = json_text(credentials, "username", NULL);
	const char *password = json_text(credentials, "password", NULL);

	if (!is_said(credentials) ||
	    (json_is_object(credentials) && json_object_size(credentials) == 0))
		return 0;
	if (!user || !password || json_object_size(credentials) != 2)
		return malformed(reading, registry, "credentials are a username and a password",
				 err);
	access->creds = NULL;
	access->user = user;
	access->password = password;
	return 0;
}

static int read_access(const struct reading *reading, const char *registry, const json_t *table,
		       struct access *access, struct error *err)
{
	const json_t *verify = json_object_get(table, "tls-verify");
	const json_t *directory = json_object_get(table, "cert-dir");
	bool verifies = true;

	if (is_said(verify) && !yaml_flag(verify, &verifies))
		return malformed(reading, registry, "tls-verify is true or false", err);
	if (is_said(directory) && !json_is_string(directory))
		return malformed(reading, registry, "cert-dir is a directory", err);
	if (is_said(verify))
		access->tls_verify = verifies ? TLS_INSISTED : TLS_ANY;
	if (is_said(directory))
		access->cert_dir = json_string_value(directory);
	return read_credentials(reading, registry, json_object_get(table, "credentials"), access,
				err);
}

/* The repositories at a key; what stands there must not be passed over. */
static int read_table(const struct reading *reading, const char *registry, json_t *table,
		      const char *key, json_t **value, struct error *err)
{
	*value = json_object_get(table, key);
	if (!is_said(*value) || json_is_object(*value))
		return 0;
	return error_set(err, ERROR_USAGE, "%s: %s: %s is not a mapping of repositories",
			 reading->path, registry, key);
}

static int check_keys(const struct reading *reading, const char *registry, json_t *table,
		      struct error *err)
{
	static const char *const known[] = { "images",		 "images-by-tag-regex",
					     "images-by-semver", "credentials",
					     "tls-verify",	 "cert-dir" };
	const char *key;
	json_t *value;

	json_object_foreach (table, key, value) {
		bool is_known = false;

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known = is_known || strcmp(known[i], key) == 0;
		if (!is_known)
			return error_set(err, ERROR_USAGE, "%s: %s: unknown key \"%s\"",
					 reading->path, registry, key);
	}
	return 0;
}

/* ---- its images ---- */

static int add_named(const struct reading *reading, const char *registry, const char *repository,
		     const json_t *tags, const struct access *access, struct error *err)
{
	cleanup_free char *name = xasprintf("%s/%s", registry, repository);
	const json_t *tag;
	size_t i;

	if (json_is_null(tags) || (json_is_array(tags) && json_array_size(tags) == 0))
		return sync_list_add(reading->list, name, reading->filter, access, reading->target,
				     reading->http, err);
	if (!json_is_array(tags))
		return malformed(reading, registry, "an image has a list of tags", err);
	json_array_foreach (tags, i, tag) {
		const char *text = json_string_value(tag);

		if (!text)
			return malformed(reading, registry, "a tag is text", err);
		cleanup_free char *full =
			xasprintf("%s%c%s", name, digest_is_valid(text) ? '@' : ':', text);
		if (sync_list_add(reading->list, full, reading->filter, access, reading->target,
				  reading->http, err) < 0)
			return -1;
	}
	return 0;
}

/* By a pattern or a constraint, beside what the command line says. */
static int add_filtered(const struct reading *reading, const char *registry, const char *repository,
			const json_t *value, bool is_pattern, const struct access *access,
			struct error *err)
{
	cleanup_free char *name = xasprintf("%s/%s", registry, repository);
	const char *text = json_string_value(value);
	cleanup_tag_filter struct tag_filter filter = { 0 };
	size_t before = reading->list->count;

	if (!text)
		return malformed(reading, registry, "a pattern or a constraint is text", err);
	if ((is_pattern ? tag_filter_add(&filter, text, false, err)
			: tag_filter_constrain(&filter, text, err)) < 0)
		return error_prefix(err, "%s: %s", reading->path, name);
	if (sync_list_add(reading->list, name, &filter, access, reading->target, reading->http,
			  err) < 0)
		return -1;
	sync_list_reduce(reading->list, before, reading->filter);
	return 0;
}

static int add_registry(const struct reading *reading, const char *registry, json_t *table,
			const struct access *access, struct error *err)
{
	struct access own = *access;
	json_t *images, *patterns, *constraints, *value;
	const char *repository;

	if (!json_is_object(table))
		return malformed(reading, registry, "not a mapping", err);
	if (check_keys(reading, registry, table, err) < 0 ||
	    read_access(reading, registry, table, &own, err) < 0 ||
	    read_table(reading, registry, table, "images", &images, err) < 0 ||
	    read_table(reading, registry, table, "images-by-tag-regex", &patterns, err) < 0 ||
	    read_table(reading, registry, table, "images-by-semver", &constraints, err) < 0)
		return -1;
	json_object_foreach (images, repository, value) {
		if (add_named(reading, registry, repository, value, &own, err) < 0)
			return -1;
	}
	json_object_foreach (patterns, repository, value) {
		if (add_filtered(reading, registry, repository, value, true, &own, err) < 0)
			return -1;
	}
	json_object_foreach (constraints, repository, value) {
		if (add_filtered(reading, registry, repository, value, false, &own, err) < 0)
			return -1;
	}
	return 0;
}

int sync_list_add_yaml(struct sync_list *list, const char *path, const struct tag_filter *filter,
		       const struct access *access, const struct sync_target *target,
		       struct http *http, struct error *err)
{
	const struct reading reading = { list, path, filter, target, http };
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *registry;
	json_t *table;
	size_t length;

	if (fd < 0)
		return error_os(err, "%s", path);
	cleanup_free char *text = file_read_fd(fd, YAML_MAX, &length, path, err);
	list->configuration = text ? yaml_parse(text, length, path, err) : NULL;
	if (!list->configuration)
		return -1;
	if (!json_is_object(list->configuration))
		return error_set(err, ERROR_USAGE, "%s: not a mapping of registries", path);
	json_object_foreach (list->configuration, registry, table) {
		if (add_registry(&reading, registry, table, access, err) < 0)
			return -1;
	}
	return 0;
}

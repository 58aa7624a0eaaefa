/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/configuration.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHM_SIZE = 64 << 20, PORT_MAX = 65535 };

enum kind { TEXT, PATH, PATHS, NUMBER, FLAG, DRIVER, RUNTIMES, OBJECT };

struct member {
	const char *name;
	enum kind kind;
	const struct member *members; /* of an OBJECT, and of each of RUNTIMES */
	json_int_t max;		      /* of a NUMBER */
};

static const struct member runtime_members[] = { { "path", .kind = TEXT }, { 0 } };
static const struct member network_members[] = { { "confDirs", .kind = PATHS },
						 { "pluginDirs", .kind = PATHS },
						 { 0 } };
static const struct member stream_members[] = { { "address", .kind = TEXT },
						{ "port", .kind = NUMBER, .max = PORT_MAX },
						{ "certificate", .kind = PATH },
						{ "key", .kind = PATH },
						{ 0 } };
static const struct member top_members[] = {
	{ "listen", .kind = PATH },
	{ "cgroupDriver", .kind = DRIVER },
	{ "defaultRuntime", .kind = TEXT },
	{ "runtimes", .kind = RUNTIMES, .members = runtime_members },
	{ "network", .kind = OBJECT, .members = network_members },
	{ "stream", .kind = OBJECT, .members = stream_members },
	{ "shmSize", .kind = NUMBER, .max = INT64_MAX },
	{ "restoreCheckpoints", .kind = FLAG },
	{ 0 },
};

/* ---- checking ---- */

static int check_object(const json_t *object, const struct member *members, const char *at,
			struct error *err);

static int refuse(const char *at, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "\"%s\" is not %s", at, wanted);
}

static int check_paths(const json_t *value, const char *at, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return refuse(at, "an array of absolute paths", err);
	json_array_foreach (value, i, item) {
		const char *text = json_string_value(item);

		if (!text || text[0] != '/')
			return refuse(at, "an array of absolute paths", err);
	}
	return 0;
}

static int check_runtimes(const json_t *value, const struct member *members, const char *at,
			  struct error *err)
{
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return refuse(at, "an object", err);
	json_object_foreach ((json_t *)value, name, item) {
		cleanup_free char *below = xasprintf("%s.%s", at, name);

		if (check_object(item, members, below, err) < 0)
			return -1;
		if (!json_object_get(item, "path"))
			return error_set(err, ERROR_INTEGRITY, "\"%s\" lacks a \"path\"", below);
	}
	return 0;
}

static int check_value(const json_t *value, const struct member *member, const char *at,
		       struct error *err)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	switch (member->kind) {
	case TEXT:
		return text && *text ? 0 : refuse(at, "a text", err);
	case PATH:
		return text && *text == '/' ? 0 : refuse(at, "an absolute path", err);
	case PATHS:
		return check_paths(value, at, err);
	case NUMBER:
		if (json_is_integer(value) && number >= 0 && number <= member->max)
			return 0;
		return error_set(err, ERROR_INTEGRITY,
				 "\"%s\" is not a whole number from 0 to %" JSON_INTEGER_FORMAT, at,
				 member->max);
	case FLAG:
		return json_is_boolean(value) ? 0 : refuse(at, "true or false", err);
	case DRIVER:
		return text && (strcmp(text, "cgroupfs") == 0 || strcmp(text, "systemd") == 0)
			       ? 0
			       : refuse(at, "\"cgroupfs\" or \"systemd\"", err);
	case RUNTIMES:
		return check_runtimes(value, member->members, at, err);
	case OBJECT:
		break;
	}
	return check_object(value, member->members, at, err);
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

static int check_object(const json_t *object, const struct member *members, const char *at,
			struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return *at ? refuse(at, "an object", err)
			   : error_set(err, ERROR_INTEGRITY, "it is not an object");
	json_object_foreach ((json_t *)object, name, value) {
		const struct member *member = find_member(members, name);
		cleanup_free char *below = xasprintf("%s%s%s", at, *at ? "." : "", name);

		if (!member)
			return error_set(err, ERROR_INTEGRITY, "\"%s\" is not known", below);
		if (check_value(value, member, below, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- merging ---- */

/* Members of `from` over those of `to`, objects member by member. */
static void merge(json_t *to, const json_t *from)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)from, name, value) {
		json_t *there = json_object_get(to, name);

		if (json_is_object(there) && json_is_object(value))
			merge(there, value);
		else
			json_object_set(to, name, value);
	}
}

/* A regular file, since a server that waits for another, as a FIFO, does not serve meanwhile. */
static json_t *read_file(const char *path, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_os(err, "%s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_INTEGRITY, "%s is not a regular file", path);
		return NULL;
	}
	return json_read_fd(fd, JSON_CONFIG_MAX, path, err);
}

static int merge_file(json_t *to, const char *path, struct error *err)
{
	struct error why = { 0 };
	json_auto_t *json = read_file(path, &why);

	if (!json && why.os == ENOENT)
		return 0;
	if (!json) {
		*err = why;
		return -1;
	}
	if (check_object(json, top_members, "", err) < 0)
		return error_prefix(err, "%s", path);
	merge(to, json);
	return 0;
}

static bool is_json_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && strcmp(dot, ".json") == 0;
}

static int merge_directory(json_t *to, const char *path, struct error *err)
{
	cleanup_free char *directory = xasprintf("%s.d", path);
	cleanup_strings struct strings names = { 0 };

	if (directory_names(AT_FDCWD, directory, &names) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", directory);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *file = xasprintf("%s/%s", directory, names.items[i]);

		if (is_json_file(names.items[i]) && merge_file(to, file, err) < 0)
			return -1;
	}
	return 0;
}

/* Where systemd is the init, it is to be the one that makes cgroups. */
static json_t *defaults(void)
{
	bool systemd = access("/run/systemd/system", F_OK) == 0;

	return json_pack("{s:s, s:s, s:{}, s:{}, s:{s:s, s:i}, s:I, s:b}", "cgroupDriver",
			 systemd ? "systemd" : "cgroupfs", "defaultRuntime", CONFIGURATION_RUNC,
			 "runtimes", "network", "stream", "address", "127.0.0.1", "port", 0,
			 "shmSize", (json_int_t)SHM_SIZE, "restoreCheckpoints", 0);
}

static void add_runc(struct configuration *configuration)
{
	json_t *runtimes = json_object_get(configuration->json, "runtimes");

	configuration->runc_is_ours = !json_object_get(runtimes, CONFIGURATION_RUNC);
	if (configuration->runc_is_ours)
		json_object_set_new(runtimes, CONFIGURATION_RUNC,
				    json_pack("{s:s}", "path", CONFIGURATION_RUNC));
}

int configuration_load(const char *path, struct configuration *configuration, struct error *err)
{
	cleanup_configuration struct configuration made = { .json = defaults() };
	struct error ignored;
	const char *name;

	cleanup_free char *directory = xasprintf("%s.d", path);

	/* the usual one need not be there; one that was asked for must */
	if (strcmp(path, CONFIGURATION_PATH) != 0 && access(directory, F_OK) < 0 &&
	    access(path, F_OK) < 0)
		return error_os(err, "%s", path);
	if (merge_file(made.json, path, err) < 0 || merge_directory(made.json, path, err) < 0)
		return -1;
	add_runc(&made);
	name = json_text(made.json, "defaultRuntime", "");
	if (!configuration_runtime(&made, name, &ignored)) {
		error_set(err, ERROR_INTEGRITY, "%s: \"defaultRuntime\" is \"%s\"", path, name);
		return error_hint(err, "it must be one of \"runtimes\"");
	}
	*configuration = made;
	made.json = NULL;
	return 0;
}

void configuration_free(struct configuration *configuration)
{
	json_decref(configuration->json);
	configuration->json = NULL;
}

/* ---- asking ---- */

const char *configuration_handler(const struct configuration *configuration, const char *handler)
{
	return *handler ? handler : json_text(configuration->json, "defaultRuntime", "");
}

const char *configuration_runtime(const struct configuration *configuration, const char *handler,
				  struct error *err)
{
	const char *name = configuration_handler(configuration, handler);
	const json_t *runtime = json_path(configuration->json, "runtimes", name, NULL);

	if (runtime)
		return json_text(runtime, "path", "");
	error_set(err, ERROR_USAGE, "no runtime handler \"%s\"", handler);
	error_hint(err, "handlers are the \"runtimes\" of ocid.json(5)");
	return NULL;
}

bool configuration_uses_systemd(const struct configuration *configuration)
{
	return strcmp(json_text(configuration->json, "cgroupDriver", ""), "systemd") == 0;
}

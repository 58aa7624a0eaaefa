/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_config.h"
#include "ctr-net/cni_files.h"
#include "ctr-net/cni_plugin.h"
#include "ctr-net/commands.h"
#include "ctr-net/json_line.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct validate_settings {
	struct strings plugin_dirs;
	long long timeout_s;
};

/* A file, and the list of what is wrong in all files. */
struct source {
	const char *file; /* borrowed */
	char *text;
	size_t length;
	json_t *problems; /* borrowed */
};

static void source_free(struct source *source)
{
	free(source->text);
}
#define cleanup_source __attribute__((cleanup(source_free)))

static int source_read(struct source *source, struct error *err)
{
	source->text = file_read_at(AT_FDCWD, source->file, CONFIG_FILE_MAX, &source->length, err);
	return source->text ? 0 : -1;
}

/* The line that an error about this file is about, or 0. */
static int line_of(const struct source *source, const char *pointer)
{
	static const char single[] = "/plugins/0";
	json_error_t position;
	json_auto_t *json =
		json_loadb(source->text, source->length, JSON_REJECT_DUPLICATES, &position);
	bool found;

	if (!json)
		return position.line;
	if (*pointer != '/')
		return 0;

	int line = json_line_of(source->text, source->length, pointer, &found);
	/* a file of a single plugin is that element */
	if (!found && !json_object_get(json, "plugins") &&
	    strncmp(pointer, single, strlen(single)) == 0)
		line = json_line_of(source->text, source->length, pointer + strlen(single), &found);
	return line;
}

static void report(const struct source *source, const char *pointer, const char *message)
{
	size_t prefix = strlen(source->file);
	int line = line_of(source, pointer);
	json_t *row;

	if (strncmp(message, source->file, prefix) == 0 && strncmp(message + prefix, ": ", 2) == 0)
		message += prefix + 2;
	row = json_pack("{s:s, s:s}", "file", source->file, "message", message);
	if (line > 0)
		json_object_set_new(row, "line", json_integer(line));
	json_array_append_new(source->problems, row);
}

static bool speaks(const json_t *versions, const char *version)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(versions, "supportedVersions"), i, item) {
		if (strcmp(json_string_value(item), version) == 0)
			return true;
	}
	return false;
}

/* Whether a plugin is there and speaks the version of the network. */
static void check_executable(const struct source *source, const struct attachment *attachment,
			     const char *type, const char *pointer, const char *version)
{
	struct error failure;
	json_auto_t *versions = cni_plugin_versions(attachment, type, &failure);

	if (!versions) {
		report(source, pointer, failure.message);
	} else if (!speaks(versions, version)) {
		cleanup_free char *message =
			xasprintf("plugin %s does not speak CNI %s", type, version);

		report(source, pointer, message);
	}
}

/* The executables of one plugin: itself and the one for its addresses. */
static void check_executables(const struct source *source, const struct attachment *attachment,
			      const json_t *plugin, const char *pointer, const char *version)
{
	const char *ipam = json_text(json_object_get(plugin, "ipam"), "type", NULL);
	cleanup_free char *at_type = xasprintf("%s/type", pointer);
	cleanup_free char *at_ipam = xasprintf("%s/ipam/type", pointer);

	check_executable(source, attachment, json_text(plugin, "type", ""), at_type, version);
	if (ipam && *ipam && !strchr(ipam, '/'))
		check_executable(source, attachment, ipam, at_ipam, version);
}

/* The files of the network's folder; each is a plugin more of `config`. */
static int check_folder(const struct source *list, const struct attachment *attachment,
			json_t *config, struct error *err)
{
	const char *slash = strrchr(list->file, '/');
	cleanup_free char *directory =
		slash ? xstrndup(list->file, (size_t)(slash - list->file)) : xstrdup(".");
	const char *version = json_text(config, "cniVersion", "");
	cleanup_strings struct strings files = { 0 };

	if (cni_files_of_plugins(directory, config, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++) {
		cleanup_source struct source source = { .file = files.items[i],
							.problems = list->problems };
		size_t count = cni_config_plugin_count(config);
		struct error failure;

		if (source_read(&source, err) < 0)
			return -1;
		if (cni_config_add_plugin(config, source.text, source.length, source.file,
					  &failure) < 0)
			report(&source, failure.subject, failure.message);
		else
			check_executables(&source, attachment,
					  json_array_get(json_object_get(config, "plugins"), count),
					  "", version);
	}
	return 0;
}

/* `names` is an object of the networks in earlier files. */
static void check_name(const struct source *source, const json_t *config, json_t *names)
{
	const char *name = cni_config_name(config);
	const char *earlier = json_text(names, name, NULL);

	if (earlier) {
		cleanup_free char *message =
			xasprintf("network \"%s\" is also in %s", name, earlier);

		report(source, "/name", message);
	}
	json_object_set_new(names, name, json_string(source->file));
}

static int check_file(const char *file, const struct attachment *attachment, json_t *names,
		      json_t *problems, struct error *err)
{
	cleanup_source struct source source = { .file = file, .problems = problems };
	struct error failure;

	if (source_read(&source, err) < 0)
		return -1;

	json_auto_t *config = cni_config_parse(source.text, source.length, file, &failure);
	if (!config) {
		report(&source, failure.subject, failure.message);
		return 0;
	}
	check_name(&source, config, names);

	const json_t *plugin;
	size_t i;
	json_array_foreach (json_object_get(config, "plugins"), i, plugin) {
		cleanup_free char *pointer = xasprintf("/plugins/%zu", i);

		check_executables(&source, attachment, plugin, pointer,
				  json_text(config, "cniVersion", ""));
	}

	size_t before = json_array_size(problems);
	if (check_folder(&source, attachment, config, err) < 0)
		return -1;
	if (json_array_size(problems) == before && cni_config_check(config, file, &failure) < 0)
		report(&source, failure.subject, failure.message);
	return 0;
}

static int validate(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "FILE", "file", COLUMN_TEXT },
		{ "LINE", "line", COLUMN_TEXT },
		{ "PROBLEM", "message", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	const struct validate_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path(&settings->plugin_dirs);
	const struct attachment attachment = {
		.plugin_path = plugin_path,
		.timeout_ms = options_timeout(settings->timeout_s, err),
	};
	json_auto_t *problems = json_array(), *names = json_object();

	if (attachment.timeout_ms < 0)
		return -1;
	for (int i = 0; i < cli->operand_count; i++)
		if (check_file(cli->operands[i], &attachment, names, problems, err) < 0)
			return -1;
	if (json_array_size(problems) == 0)
		return 0;
	if (output_list(cli, problems, columns, err) < 0)
		return -1;
	return error_set(err, ERROR_INTEGRITY, "%zu problem%s", json_array_size(problems),
			 json_array_size(problems) > 1 ? "s" : "");
}

static const struct cli_option options[] = {
	OPTION_PLUGIN_DIRS(validate_settings, PLUGINS_USUAL),
	OPTION_TIMEOUT(validate_settings),
	{ 0 },
};

static const struct validate_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command validate_command = {
	.name = "validate",
	.operands = "FILE...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "check network configurations for errors",
	.details =
		"Prints a line for each problem: file, line and message. Plugins must exist and\n"
		"support the CNI version of the network. Exits with 7 if there are problems.",
	.options = options,
	.settings_size = sizeof(struct validate_settings),
	.defaults = &defaults,
	.run = validate,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_plugin.h"
#include "ctr-net/commands.h"
#include "ctr-net/options.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct versions_settings {
	struct strings plugin_dirs;
	long long timeout_s;
};

/* The names of everything in one directory; an absent one has nothing. */
static int list_directory(const char *directory, struct strings *names, struct error *err)
{
	cleanup_strings struct strings found = { 0 };

	if (directory_names(AT_FDCWD, directory, &found) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", directory);
	for (size_t i = 0; i < found.count; i++)
		if (path_is_name(found.items[i]))
			strings_add(names, found.items[i]);
	return 0;
}

/* The names in all directories, sorted; one that is in several comes several times. */
static int list_names(const char *plugin_path, struct strings *names, struct error *err)
{
	for (const char *at = plugin_path; *at;) {
		size_t length = strcspn(at, ":");
		cleanup_free char *directory = xstrndup(at, length);

		if (length > 0 && list_directory(directory, names, err) < 0)
			return -1;
		at += length + (at[length] == ':');
	}
	strings_sort(names);
	return 0;
}

/* The row of one plugin, or NULL. */
static json_t *ask(const struct attachment *attachment, const char *type, struct error *err)
{
	cleanup_free char *path = cni_plugin_find(attachment->plugin_path, type, err);
	json_auto_t *versions = path ? cni_plugin_versions(attachment, type, err) : NULL;

	return versions ? json_pack("{s:s, s:s, s:O}", "type", type, "path", path,
				    "supportedVersions",
				    json_object_get(versions, "supportedVersions"))
			: NULL;
}

/* All plugins there are. Files that cannot be executed are none. */
static int ask_all(const struct attachment *attachment, json_t *rows, struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	struct error failure;
	int status = 0;

	if (list_names(attachment->plugin_path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path =
			cni_plugin_find(attachment->plugin_path, names.items[i], &failure);

		if (!path || (i > 0 && strcmp(names.items[i], names.items[i - 1]) == 0))
			continue;

		json_t *row = ask(attachment, names.items[i], &failure);
		if (row) {
			json_array_append_new(rows, row);
			continue;
		}
		log_message(LOG_LEVEL_WARN, "%s", failure.message);
		*err = failure;
		status = -1;
	}
	return status;
}

static int ask_named(const struct cli *cli, const struct attachment *attachment, json_t *rows,
		     struct error *err)
{
	for (int i = 0; i < cli->operand_count; i++) {
		const char *type = cli->operands[i];

		if (!path_is_name(type))
			return error_set(err, ERROR_USAGE, "\"%s\" cannot be the type of a plugin",
					 type);

		json_t *row = ask(attachment, type, err);
		if (!row)
			return -1;
		json_array_append_new(rows, row);
	}
	return 0;
}

static int versions(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = {
		{ "PLUGIN", "type", COLUMN_TEXT },
		{ "CNI", "supportedVersions", COLUMN_TEXT },
		{ "PATH", "path", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	const struct versions_settings *settings = cli->settings;
	cleanup_free char *plugin_path = options_plugin_path(&settings->plugin_dirs);
	const struct attachment attachment = {
		.plugin_path = plugin_path,
		.timeout_ms = options_timeout(settings->timeout_s, err),
	};
	json_auto_t *rows = json_array();
	struct error failure;

	if (attachment.timeout_ms < 0)
		return -1;
	/* what is known is printed also when one plugin fails */
	int status = cli->operand_count > 0 ? ask_named(cli, &attachment, rows, &failure)
					    : ask_all(&attachment, rows, &failure);
	if (output_list(cli, rows, columns, err) < 0)
		return -1;
	if (status < 0)
		*err = failure;
	return status;
}

static const struct cli_option options[] = {
	OPTION_PLUGIN_DIRS(versions_settings, PLUGINS_USUAL),
	OPTION_TIMEOUT(versions_settings),
	{ 0 },
};

static const struct versions_settings defaults = { .timeout_s = TIMEOUT_DEFAULT_S };

const struct cli_command versions_command = {
	.name = "versions",
	.operands = "[TYPE...]",
	.operands_max = -1,
	.summary = "list plugins and the CNI versions they support",
	.details = "Without TYPE, asks every executable in the plugin directories.",
	.options = options,
	.settings_size = sizeof(struct versions_settings),
	.defaults = &defaults,
	.run = versions,
};

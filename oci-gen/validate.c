/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/commands.h"
#include "oci-gen/findings.h"
#include "oci-gen/fixes.h"
#include "oci-gen/input.h"
#include "oci-gen/known.h"
#include "oci-gen/rules.h"
#include "oci-gen/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One repair may make way for another. */
enum { FIX_ROUNDS = 8 };

struct settings {
	const char *platform;
	struct strings runtimes;
	bool fix, host;
};

static const struct cli_option options[] = {
	{ "fix", 0, NULL, OPTION_FLAG, offsetof(struct settings, fix),
	  "fix what has only one possible meaning" },
	{ "host-specific", 0, NULL, OPTION_FLAG, offsetof(struct settings, host),
	  "also check against this host: paths, hooks, file systems (always done for a bundle)" },
	{ "platform", 0, "linux|windows|solaris|zos|freebsd", OPTION_CHOICE,
	  offsetof(struct settings, platform), "platform to check for (default: as detected)" },
	{ "runtime", 0, "PROGRAM|FILE", OPTION_LIST, offsetof(struct settings, runtimes),
	  "warn about what this runtime does not support (PROGRAM features)" },
	{ 0 },
};

static const struct output_column columns[] = {
	{ "SEVERITY", "severity", COLUMN_TEXT },
	{ "POINTER", "pointer", COLUMN_TEXT },
	{ "MESSAGE", "message", COLUMN_TEXT },
	{ "RULE", "rule", COLUMN_TEXT },
	{ "SPEC", "spec", COLUMN_TEXT },
	{ "FIXED", "fixed", COLUMN_TEXT },
	{ NULL, NULL, COLUMN_TEXT },
};

static int check(const struct settings *settings, const struct input *input,
		 struct findings *findings, struct error *err)
{
	structure_check(input->config, findings);
	structure_check_clamped(input->clamped, findings);
	rules_check(input->config, settings->platform, findings);
	if (input->directory && (settings->host || input->bundle))
		rules_check_host(input->config, input->directory, findings);
	for (size_t i = 0; i < settings->runtimes.count; i++)
		if (rules_check_runtime(input->config, settings->runtimes.items[i], findings, err) <
		    0)
			return -1;
	return 0;
}

/* Repair what findings are about, where it can be done; those go to `done`. */
static void fix_findings(json_t *config, const json_t *rows, enum fixes_turn turn, json_t *done)
{
	for (size_t i = json_array_size(rows); i-- > 0;) {
		json_t *row = json_array_get(rows, i);

		if (!fixes_apply(config, row, turn))
			continue;
		json_object_set_new(row, "fixed", json_true());
		json_array_append(done, row);
	}
}

/* `done` gets the findings that are no more. */
static void fix(json_t *config, const char *platform, json_t *done)
{
	size_t before;
	int round = 0;

	do {
		cleanup_findings struct findings findings = { 0 };

		before = json_array_size(done);
		structure_check(config, &findings);
		rules_check(config, platform, &findings);
		for (enum fixes_turn turn = 0; turn < FIXES_TURNS; turn++)
			fix_findings(config, findings.rows, turn, done);
	} while (json_array_size(done) > before && ++round < FIX_ROUNDS);
}

/* Write back what was repaired, in place of the file. */
static int write_back(const struct input *input, struct error *err)
{
	cleanup_free char *path = realpath(input->path, NULL);
	/* what was read as the largest number there is must not be written as that */
	json_auto_t *exact = source_read(input->path, JSON_DOCUMENT_MAX, err);
	struct stat st;

	if (!exact)
		return error_hint(err, "--fix cannot keep numbers above 2^63-1");
	if (!path || stat(path, &st) < 0)
		return error_os(err, "%s", input->path);
	char *name = strrchr(path, '/');
	*name++ = '\0';
	cleanup_fd int fd = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_os(err, "%s", path);
	cleanup_free char *json = json_dumps(input->whole, JSON_INDENT(2));
	cleanup_free char *text = xasprintf("%s\n", json ? json : "null");
	return file_replace_at(fd, name, text, strlen(text), st.st_mode & 07777, err);
}

static int fix_input(const struct cli *cli, struct input *input, json_t *done, struct error *err)
{
	const struct settings *settings = cli->settings;

	if (!input->directory)
		return cli_usage(cli, err, "--fix needs a file or a bundle");
	if (!json_is_object(input->config))
		return 0;
	fix(input->config, settings->platform, done);
	return json_array_size(done) > 0 ? write_back(input, err) : 0;
}

static int validate_run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_findings struct findings findings = { 0 };
	cleanup_input struct input input = { 0 };
	json_auto_t *rows = json_array();

	if (input_read(&input, cli->operands[0], err) < 0)
		return -1;
	if (settings->host && !input.directory)
		return cli_usage(cli, err, "--host-specific needs a file or a bundle");
	if ((settings->fix && fix_input(cli, &input, rows, err) < 0) ||
	    check(settings, &input, &findings, err) < 0)
		return -1;
	json_array_extend(rows, findings.rows);
	if (json_array_size(rows) > 0 && output_list(cli, rows, columns, err) < 0)
		return -1;
	if (findings.errors > 0)
		return error_set(err, ERROR_INTEGRITY, "%s: %zu error%s", input_name(&input),
				 findings.errors, findings.errors == 1 ? "" : "s");
	return 0;
}

struct cli_command validate_command(void)
{
	return (struct cli_command){
		.name = "validate",
		.operands = "[FILE|BUNDLE|-]",
		.operands_max = 1,
		.summary = "check a configuration against the runtime specification",
		.details = "Prints one finding a line; exits with 7 if any of them is an error. "
			   "Without an\n"
			   "operand, reads standard input if that is a pipe or a file, else "
			   "./config.json.\n"
			   "A container document can be given in place of its config.",
		.options = options,
		.settings_size = sizeof(struct settings),
		.run = validate_run,
	};
}

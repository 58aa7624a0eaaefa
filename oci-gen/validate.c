/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/commands.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/findings.h"
#include "oci-gen/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct output_column columns[] = {
	{ "SEVERITY", "severity", COLUMN_TEXT }, { "POINTER", "pointer", COLUMN_TEXT },
	{ "MESSAGE", "message", COLUMN_TEXT },	 { "RULE", "rule", COLUMN_TEXT },
	{ "SPEC", "spec", COLUMN_TEXT },	 { NULL, NULL, COLUMN_TEXT },
};

/* The file that the operand names: a bundle's config.json, or itself. The caller frees it. */
static char *input_path(const struct cli *cli)
{
	const char *path = cli->operands[0];
	struct stat st;

	if (!path)
		path = source_stdin_given() ? "-" : ".";
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? xasprintf("%s/config.json", path)
							   : xstrdup(path);
}

static int validate_run(const struct cli *cli, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_free char *path = input_path(cli);
	json_auto_t *input = source_read_config(path, JSON_DOCUMENT_MAX, err);
	const json_t *in_document = json_object_get(input, "config");

	if (!input)
		return -1;
	/* a container document holds the configuration; a configuration has no such member */
	const json_t *config =
		in_document && !json_object_get(input, "ociVersion") ? in_document : input;
	structure_check(config, &findings);
	rules_check(config, &findings);
	if (findings.rows && output_list(cli, findings.rows, columns, err) < 0)
		return -1;
	if (findings.errors > 0)
		return error_set(err, ERROR_INTEGRITY, "%s: %zu error%s",
				 strcmp(path, "-") == 0 ? "standard input" : path, findings.errors,
				 findings.errors == 1 ? "" : "s");
	return 0;
}

struct cli_command validate_command(void)
{
	return (struct cli_command){
		.name = "validate",
		.operands = "[FILE|BUNDLE|-]",
		.operands_max = 1,
		.summary = "check a configuration against the runtime specification",
		.details =
			"Findings are printed, one a line; the exit status is 7 when one of them\n"
			"is an error. Without an operand: standard input where that is a pipe or\n"
			"a file, else ./config.json. A container document may stand for its "
			"config.",
		.run = validate_run,
	};
}

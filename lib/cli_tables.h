/* SPDX-License-Identifier: Apache-2.0 */
/* What lib/cli has between its files: the options of every verb, and what is printed from the
 * tables. */
#pragma once
#include "lib/cli.h"

/* Settings of the options that every verb takes. */
struct cli_common {
	const char *root, *runroot, *log_level, *errors, *completion;
	bool json, table, help, version;
};

/* Ends with a row whose name is NULL. */
extern const struct cli_option cli_common_options[];

void cli_print_help(const struct cli *cli, const struct cli_command *command);
void cli_print_tool_help(const struct cli *cli, const char *purpose,
			 const struct cli_command *commands);

/* The completion of the tool's command line, for the shell "bash" or "zsh". */
int cli_print_completion(const struct cli *cli, const char *shell,
			 const struct cli_command *commands, struct error *err);

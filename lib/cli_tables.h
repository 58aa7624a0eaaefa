/* SPDX-License-Identifier: Apache-2.0 */
/* What lib/cli has between its files: the options of every verb, what is printed from the tables,
 * and signals. */
#pragma once
#include "lib/cli.h"

/* In the order of enum log_level. */
#define LOG_LEVELS "error|warn|info|debug"

/* Settings of the options that every verb takes. */
struct cli_common {
	const char *root, *runroot, *log_level, *errors, *completion;
	bool json, table, help, version;
};

/* Ends with a row whose name is NULL. */
extern const struct cli_option cli_common_options[];

/* The option of that name, or letter, in a table, which may be NULL; NULL where there is none. */
const struct cli_option *cli_find_long(const struct cli_option *options, const char *name,
				       size_t length);
const struct cli_option *cli_find_letter(const struct cli_option *options, char letter);

/* What options are put into. Their meaning depends on the command, NULL where there is none. */
struct cli_parser {
	struct cli *cli;
	const struct cli_command *command;
	struct cli_common *common;
	struct error *err;
};

/* Parse argv from `next` up to `stop` operands (-1: all); operands are appended. Returns the index
 * reached; -1: a usage error. */
int cli_parse(struct cli_parser *parser, char **argv, int next, int stop);

/* Set root and runroot where they are NULL. */
void cli_default_roots(struct cli *cli);

/* The option that a word with a dash names by the tables of commands, or NULL. *value: what the
 * word has of its value, or NULL. */
const struct cli_option *cli_find_option(const struct cli_command *commands, const char *word,
					 const char **value);

/* Whether word is the first of verbs of two words. */
bool cli_is_group(const struct cli_command *commands, const char *word);

/* Where the verb stands, which options of its own may stand before; the end where there is none. */
int cli_find_verb(const struct cli_command *commands, char **argv);

void cli_print_help(const struct cli *cli, const struct cli_command *command);
void cli_print_tool_help(const struct cli *cli, const char *purpose,
			 const struct cli_command *commands);

/* The script that completes the tool's command line in the shell "bash" or "zsh". */
void cli_print_completion(const struct cli *cli, const char *shell);

/* Print what the last of words, which follow the tool's name, can become: that script asks. */
void cli_complete(struct cli *cli, const struct cli_command *commands, char **words);

/* SIGHUP, SIGINT and SIGTERM, unless they are ignored, are noted from now on: cli_interrupted(). */
void cli_catch_signals(void);

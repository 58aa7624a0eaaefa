/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/cli_tables.h"
#include "lib/memory.h"

#include <stdio.h>
#include <string.h>

const struct cli_option cli_common_options[] = {
	{ "root", 0, "DIR", OPTION_STRING, offsetof(struct cli_common, root),
	  "persistent state (default /var/lib/ocid)" },
	{ "runroot", 0, "DIR", OPTION_STRING, offsetof(struct cli_common, runroot),
	  "state until the next reboot (default /run/ocid)" },
	{ "log-level", 0, LOG_LEVELS, OPTION_CHOICE, offsetof(struct cli_common, log_level),
	  "how much to log to stderr (default warn)" },
	{ "errors", 0, "text|json", OPTION_CHOICE, offsetof(struct cli_common, errors),
	  "format of errors on stderr (default text)" },
	{ "json", 0, NULL, OPTION_FLAG, offsetof(struct cli_common, json),
	  "print compact JSON, even on a terminal" },
	{ "table", 0, NULL, OPTION_FLAG, offsetof(struct cli_common, table),
	  "print tables and indented JSON, even to a pipe" },
	{ "help", 'h', NULL, OPTION_FLAG, offsetof(struct cli_common, help), "show this help" },
	{ "version", 'v', NULL, OPTION_FLAG, offsetof(struct cli_common, version),
	  "show the version" },
	{ "completion", 0, "bash|zsh", OPTION_CHOICE, offsetof(struct cli_common, completion),
	  NULL },
	{ 0 },
};

enum { HELP_INDENT = 30, HELP_WIDTH = 80 };

/* Print text from column `column` on, broken between words, continued at HELP_INDENT. */
static void print_wrapped(const char *text, size_t column)
{
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > HELP_INDENT && column + 1 + word > HELP_WIDTH) {
			printf("\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		}
		printf(" %.*s", (int)word, text);
		column += 1 + word;
		text += word + strspn(text + word, " ");
	}
	putchar('\n');
}

static void print_option(const struct cli_option *option)
{
	cleanup_free char *left = xasprintf(
		"%c%c%c --%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
		option->value ? " " : "", option->value ? option->value : "");
	size_t column = (size_t)printf("  %-*s", HELP_INDENT - 2, left);
	if (column > HELP_INDENT) {
		printf("\n%*s", HELP_INDENT, "");
		column = HELP_INDENT;
	}
	print_wrapped(option->help, column);
}

static void print_options(const char *title, const struct cli_option *options)
{
	bool any = false;

	for (; options && options->name; options++) {
		if (!options->help)
			continue;
		if (!any)
			printf("\n%s:\n", title);
		any = true;
		print_option(options);
	}
}

void cli_print_help(const struct cli *cli, const struct cli_command *command)
{
	const char *operands = command->operands ? command->operands : "";

	printf("Usage: %s %s [OPTION]...%s%s\n", cli->tool, command->name, operands[0] ? " " : "",
	       operands);
	printf("%s %s: %s.\n", cli->tool, command->name, command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	print_options("Options", command->options);
	print_options("Options of every verb", cli_common_options);
}

void cli_print_tool_help(const struct cli *cli, const char *purpose,
			 const struct cli_command *commands)
{
	printf("Usage: %s VERB [OPTION]... [OPERAND]...\n%s: %s.\n\nVerbs:\n", cli->tool, cli->tool,
	       purpose);
	for (; commands->name; commands++)
		printf("  %-22s %s\n", commands->name, commands->summary);
	print_options("Options of every verb", cli_common_options);
	printf("\n\"%s VERB --help\" tells more; so does man %s.\n", cli->tool, cli->tool);
}

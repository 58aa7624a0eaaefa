/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a command line. Hand-written rather than getopt_long: that one accepts
 * abbreviations, prints by itself and cannot derive --help from its table. */
#include "lib/cli_tables.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_usage(const struct cli *cli, struct error *err, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error_set(err, ERROR_USAGE, "%s", text);
	return error_hint(err, "see %s %s%s--help", cli->tool, cli->verb ? cli->verb : "",
			  cli->verb ? " " : "");
}

static int store_number(struct cli_parser *p, const struct cli_option *option, void *field,
			const char *value)
{
	char *end;

	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return cli_usage(p->cli, p->err, "--%s: \"%s\" is not a number", option->name,
				 value);
	memcpy(field, &number, sizeof number);
	return 0;
}

static int store_option(struct cli_parser *p, const struct cli_option *option, void *settings,
			const char *value)
{
	void *field = (char *)settings + option->offset;
	bool yes = true;

	switch (option->kind) {
	case OPTION_FLAG:
		memcpy(field, &yes, sizeof yes);
		return 0;
	case OPTION_CHOICE:
		if (cli_choose(option->value, value) < 0)
			return cli_usage(p->cli, p->err, "--%s: \"%s\" is not one of %s",
					 option->name, value, option->value);
		memcpy(field, &value, sizeof value);
		return 0;
	case OPTION_STRING:
		memcpy(field, &value, sizeof value);
		return 0;
	case OPTION_LIST:
		strings_add(field, value);
		return 0;
	case OPTION_NUMBER:
		return store_number(p, option, field, value);
	}
	return 0;
}

/* The words of Go's strconv.ParseBool, which other tools of the field take. */
static int store_flag(struct cli_parser *p, const struct cli_option *option, void *settings,
		      const char *value)
{
	static const char *const words[2][6] = { { "0", "f", "F", "false", "False", "FALSE" },
						 { "1", "t", "T", "true", "True", "TRUE" } };

	for (int is_set = 0; is_set < 2; is_set++)
		for (size_t i = 0; i < 6; i++)
			if (strcmp(value, words[is_set][i]) == 0) {
				const bool flag = is_set;

				memcpy((char *)settings + option->offset, &flag, sizeof flag);
				return 0;
			}
	return cli_usage(p->cli, p->err, "--%s is true or false, not \"%s\"", option->name, value);
}

/* Clear the flag NAME for "--no-NAME". False when that is not an option. */
static bool clear_flag(struct cli_parser *p, const char *name, size_t length)
{
	if (length < 4 || memcmp(name, "no-", 3) != 0 || !p->command)
		return false;

	const struct cli_option *option = cli_find_long(p->command->options, name + 3, length - 3);
	if (!option || option->kind != OPTION_FLAG)
		return false;
	memset((char *)p->cli->settings + option->offset, 0, sizeof(bool));
	return true;
}

/* One "--name", "--name=value" or "--name value". Moves *next past what it used. */
static int parse_long(struct cli_parser *p, char **argv, int *next)
{
	const char *name = argv[*next] + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	void *settings = p->cli->settings;
	const struct cli_option *option =
		p->command ? cli_find_long(p->command->options, name, length) : NULL;

	if (!option) {
		option = cli_find_long(cli_common_options, name, length);
		settings = p->common;
	}
	(*next)++;
	if (!option && !value && clear_flag(p, name, length))
		return 0;
	if (!option)
		return cli_usage(p->cli, p->err, "unknown option --%.*s", (int)length, name);
	if (option->kind == OPTION_FLAG && value)
		return store_flag(p, option, settings, value);
	if (option->kind != OPTION_FLAG && !value) {
		value = argv[*next];
		if (!value)
			return cli_usage(p->cli, p->err, "--%s needs a value (%s)", option->name,
					 option->value);
		(*next)++;
	}
	return store_option(p, option, settings, value);
}

/* A group of letters: "-q", "-qf", "-oFILE", "-o FILE" and, as other tools of the field take it,
 * "-o=FILE". */
static int parse_letters(struct cli_parser *p, char **argv, int *next)
{
	const char *letters = argv[(*next)++] + 1;

	for (; *letters; letters++) {
		void *settings = p->cli->settings;
		const struct cli_option *option =
			p->command ? cli_find_letter(p->command->options, *letters) : NULL;
		const char *value = NULL;

		if (!option) {
			option = cli_find_letter(cli_common_options, *letters);
			settings = p->common;
		}
		if (!option)
			return cli_usage(p->cli, p->err, "unknown option -%c", *letters);
		if (option->kind != OPTION_FLAG) {
			value = letters[1] ? letters + 1 + (letters[1] == '=') : argv[(*next)++];
			if (!value)
				return cli_usage(p->cli, p->err, "-%c needs a value (%s)", *letters,
						 option->value);
		}
		if (option->kind == OPTION_FLAG && letters[1] == '=')
			return store_flag(p, option, settings, letters + 2);
		if (store_option(p, option, settings, value) < 0)
			return -1;
		if (value)
			break;
	}
	return 0;
}

int cli_parse(struct cli_parser *p, char **argv, int next, int stop)
{
	bool options_end = false;

	while (argv[next]) {
		const char *word = argv[next];

		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
			next++;
			continue;
		}
		if (!options_end && word[0] == '-' && word[1]) {
			int status = word[1] == '-' ? parse_long(p, argv, &next)
						    : parse_letters(p, argv, &next);
			if (status < 0)
				return -1;
			continue;
		}
		if (stop == 0)
			return next;
		p->cli->operands[p->cli->operand_count++] = argv[next++];
		if (p->command && p->command->stop_at_operand)
			options_end = true;
	}
	return next;
}

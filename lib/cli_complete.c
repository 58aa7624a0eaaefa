/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the last word of a command line, which may have been begun, can become: a line each for the
 * shell's script (cli_shells.c), with a tab and what it means; or ":files", ":directories",
 * ":commands", which the shell itself knows. All comes from the tables that --help is made of: of
 * what they call values and operands, words in lower case are meant literally ("text|json"). A line
 * that ends in ":" or "/" is the beginning of a word.
 */
#include "lib/cleanup.h"
#include "lib/cli_tables.h"
#include "lib/json.h"
#include "lib/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_TIMEOUT_MS = 2000 };

#define ALNUM	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LITERAL "abcdefghijklmnopqrstuvwxyz0123456789-"

struct line {
	struct cli *cli; /* of which root and runroot are found out */
	const struct cli_command *commands;
	const char *last;		   /* the word to complete */
	const char *group;		   /* of a verb of two words, the first */
	const struct cli_command *command; /* NULL: the verb is not whole yet */
	const struct cli_option *waits;	   /* what the last word is the value of, or NULL */
	int operand_count;
	bool options_end;
};

/* ---- what stands before ---- */

/* Without a verb an option may be that of any. */
static const struct cli_option *find_option(const struct line *line, const char *word,
					    const char **value)
{
	const struct cli_command own[2] = { line->command ? *line->command
							  : (struct cli_command){ 0 } };

	return cli_find_option(line->command ? own : line->commands, word, value);
}

/* Returns how many words it is. */
static int read_option(struct line *line, char **words)
{
	const char *value;
	const struct cli_option *option = find_option(line, words[0], &value);
	int count = option && option->kind != OPTION_FLAG && !value ? 2 : 1;

	if (count == 2 && !words[1]) {
		line->waits = option;
		return 1;
	}
	value = value ? value : words[1];
	if (option && strcmp(option->name, "root") == 0)
		line->cli->root = value;
	if (option && strcmp(option->name, "runroot") == 0)
		line->cli->runroot = value;
	return count;
}

/* Returns -1 where there is no such verb. */
static int read_verb(struct line *line, const char *word)
{
	if (!line->group && cli_is_group(line->commands, word)) {
		line->group = word;
		return 0;
	}
	cleanup_free char *name =
		line->group ? xasprintf("%s %s", line->group, word) : xstrdup(word);
	for (const struct cli_command *c = line->commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			line->command = c;
	return line->command ? 0 : -1;
}

static int read_words(struct line *line, char **words)
{
	while (*words) {
		const char *word = *words;

		if (strcmp(word, "--") == 0) {
			line->options_end = line->options_end || line->command;
		} else if (!line->options_end && word[0] == '-' && word[1]) {
			words += read_option(line, words);
			continue;
		} else if (line->command) {
			line->operand_count++;
			line->options_end = line->options_end || line->command->stop_at_operand;
		} else if (read_verb(line, word) < 0) {
			return -1;
		}
		words++;
	}
	return 0;
}

/* ---- verbs and options ---- */

static void offer_verbs(const struct cli_command *commands)
{
	const char *group = "";

	for (; commands->name; commands++) {
		size_t length = strcspn(commands->name, " ");

		if (!commands->name[length]) {
			printf("%s\t%s\n", commands->name, commands->summary);
		} else if (strncmp(commands->name, group, length + 1) != 0) {
			group = commands->name;
			printf("%.*s\n", (int)length, group);
		}
	}
}

static void offer_second_words(const struct cli_command *commands, const char *group)
{
	size_t length = strlen(group);

	for (; commands->name; commands++)
		if (strncmp(commands->name, group, length) == 0 && commands->name[length] == ' ')
			printf("%s\t%s\n", commands->name + length + 1, commands->summary);
}

static void offer_option(const struct cli_option *option)
{
	if (option->help)
		printf("--%s\t%s\n", option->name, option->help);
}

static bool any_has(const struct cli_command *from, const struct cli_command *to, const char *name)
{
	while (from < to && !cli_find_long(from->options, name, strlen(name)))
		from++;
	return from < to;
}

/* Those of the verb; before there is one those of all, each once. */
static void offer_options(const struct line *line)
{
	const struct cli_command *first = line->command ? line->command : line->commands;
	const struct cli_command *c = first;

	do {
		for (const struct cli_option *o = c->options; o && o->name; o++)
			if (!any_has(first, c, o->name))
				offer_option(o);
		c++;
	} while (!line->command && c->name);
	for (const struct cli_option *o = cli_common_options; o->name; o++)
		offer_option(o);
}

/* ---- names of what there is ---- */

/* Names that shells take as they are; no others can be made, but there may be others. */
static void offer_name(const char *before, const char *name)
{
	if (*name && strchr(ALNUM, *name) && !name[strspn(name, ALNUM "._-/:@+")])
		printf("%s%s\n", before, name);
}

/* By what people call it. */
static void offer_row(const char *before, const json_t *row)
{
	const json_t *names = json_object_get(row, "names"), *name;
	size_t i;

	json_array_foreach (names, i, name) {
		offer_name(before, json_string_value(name) ? json_string_value(name) : "");
	}
	if (!names)
		offer_name(before, json_text(row, "name",
					     json_text(row, "method", json_text(row, "id", ""))));
}

/* To look leaves no trace: the verb would make directories that are not there. */
void cli_offer_names(const struct cli *cli, const char *tool, const char *lister,
		     const char *before)
{
	cleanup_strings struct strings argv = { 0 };
	cleanup_free char *program = spawn_tool_path(tool);
	cleanup_free char *verb = xstrdup(lister);
	struct error err;

	if (access(cli->root, F_OK) < 0 || access(cli->runroot, F_OK) < 0)
		return;
	strings_add(&argv, program);
	for (char *rest = verb, *word; (word = strsep(&rest, " "));)
		strings_add(&argv, word);
	strings_add(&argv, "--json");
	strings_addf(&argv, "--root=%s", cli->root);
	strings_addf(&argv, "--runroot=%s", cli->runroot);

	const struct spawn spawn = { .argv = (const char *const *)argv.items,
				     .timeout_ms = LIST_TIMEOUT_MS };
	cleanup_spawn_result struct spawn_result result = { 0 };
	if (spawn_run(&spawn, &result, &err) < 0)
		return;
	for (char *rest = result.out, *text; (text = strsep(&rest, "\n"));) {
		json_auto_t *row = json_parse(text, strlen(text), "a row", &err);

		offer_row(before, row);
	}
}

/* ---- values and operands ---- */

/* Returns whether a verb lists such. before: what stands there already of a word whose rest this
 * is, "--errors=". */
static bool offer_listed(const struct line *line, const char *what, const char *before)
{
	bool any = false;

	for (const struct cli_command *c = line->commands; c->name; c++)
		if (c->lists && cli_choose(c->lists, what) >= 0) {
			cli_offer_names(line->cli, line->cli->tool, c->name, before);
			any = true;
		}
	return any;
}

/* Returns whether it is something that the shell knows. */
static bool offer_place(const char *what)
{
	static const char *const places[][2] = {
		{ "FILE", ":files" },	    { "PATH", ":files" },	{ "DIR", ":directories" },
		{ "COMMAND", ":commands" }, { "PROGRAM", ":commands" },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (strcmp(places[i][0], what) == 0) {
			printf("%s\n", places[i][1]);
			return true;
		}
	return false;
}

void cli_offer_files(void)
{
	printf(":files\n");
}

void cli_offer_beginning(const char *beginning)
{
	printf("%s\n", beginning);
}

/* The next of what "FILE|-", "[IMAGE...]" or "docker://NAME" has, without what may stand around or
 * behind it. */
static char *take_alternative(const char **text)
{
	const char *start = *text + (**text == '[');
	size_t length = strcspn(start, "|");
	size_t word = strspn(start, LITERAL), colon = word + strspn(start + word, ":/");

	*text = start + length + (start[length] == '|');
	if (word == 0 || colon == word)
		colon = strcspn(start, "|[]/.");
	return xasprintf("%.*s", (int)colon, start);
}

static bool offer_literal(const char *what, const char *before)
{
	if (!*what || what[strspn(what, LITERAL)])
		return false;
	printf("%s%s\n", before, what);
	return true;
}

/* With "oci:" a path begins, with "docker://" a name that nobody here knows. */
static bool offer_beginning(const char *what, const char *word)
{
	size_t length = strlen(what);

	if (length == 0 || !strchr(":/", what[length - 1]))
		return false;
	if (strncmp(word, what, length) != 0)
		cli_offer_beginning(what);
	else if (what[length - 1] == ':')
		cli_offer_files();
	return true;
}

static void offer_value(const struct line *line, const struct cli_option *option,
			const char *before)
{
	for (const char *text = option->value; *text;) {
		cleanup_free char *what = take_alternative(&text);

		if (!offer_literal(what, before) && !offer_place(what))
			offer_listed(line, what, before);
	}
}

/* What --help calls the operand that is next; the last may be repeated. */
static char *name_operand(const struct line *line)
{
	const char *text = line->command->operands;
	size_t length = strcspn(text, " ");

	for (int i = 0; i < line->operand_count && text[length]; i++) {
		text += length + 1;
		length = strcspn(text, " ");
	}
	return xasprintf("%.*s", (int)length, text);
}

static void offer_operand(const struct line *line)
{
	const struct cli_command *command = line->command;
	const int max = command->operands_max;
	bool known = false;

	if (max >= 0 && line->operand_count >= max)
		return;
	cleanup_free char *operand = name_operand(line);
	for (const char *text = operand; *text;) {
		cleanup_free char *what = take_alternative(&text);

		if (command->offer)
			known |= command->offer(line->cli, what, line->last);
		else
			known |= offer_literal(what, "") || offer_beginning(what, line->last) ||
				 offer_place(what) || offer_listed(line, what, "");
	}
	if (!known)
		cli_offer_files();
}

static void offer_all(const struct line *line)
{
	const char *last = line->last, *value = NULL;

	if (line->waits) {
		offer_value(line, line->waits, "");
	} else if (last[0] == '-' && !line->options_end) {
		const struct cli_option *option = last[1] ? find_option(line, last, &value) : NULL;

		if (option && option->value && value) {
			cleanup_free char *before = xasprintf("%.*s", (int)(value - last), last);

			offer_value(line, option, before);
		} else {
			offer_options(line);
		}
	} else if (line->command) {
		offer_operand(line);
	} else if (line->group) {
		offer_second_words(line->commands, line->group);
	} else {
		offer_verbs(line->commands);
	}
}

void cli_complete(struct cli *cli, const struct cli_command *commands, char **words)
{
	struct line line = { .cli = cli, .commands = commands, .last = "" };
	char **end = words;

	while (*end)
		end++;
	if (end > words) {
		line.last = *--end;
		*end = NULL;
	}
	if (read_words(&line, words) < 0)
		return;
	cli_default_roots(cli);
	offer_all(&line);
}

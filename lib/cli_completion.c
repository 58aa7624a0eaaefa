/* SPDX-License-Identifier: Apache-2.0 */
/* Completion of command lines in bash and zsh, printed as the scripts that these shells load. The
 * words come from the same tables as --help; a value is completed as a file or directory where the
 * table calls it so. */
#include "lib/cli_tables.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Print text as the inside of a single-quoted word of zsh's _arguments: no quote, colon or
 * bracket, which mean something there. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		if (!strchr("'\\:[]", *text))
			putchar(*text);
}

static bool is_file(const struct cli_option *option)
{
	return option->value && (strstr(option->value, "FILE") || strstr(option->value, "PATH"));
}

static bool is_directory(const struct cli_option *option)
{
	return option->value && strstr(option->value, "DIR");
}

/* The function's name: "skopeo_c" for skopeo-c. */
static void print_function(const char *tool)
{
	putchar('_');
	for (; *tool; tool++)
		putchar(isalnum((unsigned char)*tool) ? *tool : '_');
}

/* ---- bash ---- */

static void bash_words(const struct cli_option *options)
{
	for (; options && options->name; options++)
		if (options->help)
			printf(" --%s", options->name);
}

/* One line of a case over the word before: which options take a value of that kind. */
static void bash_values(const struct cli_command *command,
			bool (*is_kind)(const struct cli_option *), const char *action)
{
	const struct cli_option *tables[] = { command->options, cli_common_options };
	const char *between = "";

	for (size_t i = 0; i < 2; i++) {
		for (const struct cli_option *o = tables[i]; o && o->name; o++) {
			if (!o->help || !is_kind(o))
				continue;
			printf("%s--%s", *between ? between : "\t\t", o->name);
			between = "|";
			if (o->letter)
				printf("|-%c", o->letter);
		}
	}
	if (*between)
		printf(") mapfile -t COMPREPLY < <(compgen %s -- \"$word\"); return ;;\n", action);
}

static bool takes_other(const struct cli_option *option)
{
	return option->kind != OPTION_FLAG && !is_file(option) && !is_directory(option);
}

static void bash_command(const struct cli_command *command)
{
	printf("\t'%s')\n\t\tcase $before in\n", command->name);
	bash_values(command, is_file, "-f");
	bash_values(command, is_directory, "-d");
	bash_values(command, takes_other, "-W ''");
	printf("\t\tesac\n\t\toptions='");
	bash_words(command->options);
	bash_words(cli_common_options);
	printf("' ;;\n");
}

/* Verbs of two words that begin alike stand together. */
static void print_first_words(const struct cli_command *commands)
{
	const char *last = "";

	for (; commands->name; commands++) {
		size_t length = strcspn(commands->name, " ");

		if (strncmp(commands->name, last, length) != 0 || last[length] != ' ')
			printf(" %.*s", (int)length, commands->name);
		last = commands->name;
	}
}

static void print_bash(const struct cli *cli, const struct cli_command *commands)
{
	print_function(cli->tool);
	printf("() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tlocal verb=${COMP_WORDS[1]} options\n"
	       "\tif ((COMP_CWORD > 2)); then\n"
	       "\t\tcase \"$verb ${COMP_WORDS[2]}\" in\n");
	for (const struct cli_command *c = commands; c->name; c++)
		if (strchr(c->name, ' '))
			printf("\t\t'%s') verb='%s' ;;\n", c->name, c->name);
	printf("\t\tesac\n\tfi\n"
	       "\tif ((COMP_CWORD == 1)); then\n\t\toptions='");
	print_first_words(commands);
	printf("'\n\telse\n\t\tcase $verb in\n");
	for (const struct cli_command *c = commands; c->name; c++) {
		const char *second = strchr(c->name, ' ');

		if (second)
			printf("\t\t%.*s) options+=' %s' ;;&\n", (int)(second - c->name), c->name,
			       second + 1);
	}
	printf("\t\tesac\n\tfi\n\tcase $verb in\n");
	for (const struct cli_command *c = commands; c->name; c++)
		bash_command(c);
	printf("\tesac\n"
	       "\tif [[ $word == -* || -n $options && $options != *' --'* ]]; then\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
	       "\telse\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
	       "\tfi\n}\ncomplete -o filenames -F ");
	print_function(cli->tool);
	printf(" %s\n", cli->tool);
}

/* ---- zsh ---- */

static void zsh_options(const struct cli_option *options)
{
	for (; options && options->name; options++) {
		if (!options->help)
			continue;
		printf(" \\\n\t\t\t'*--%s%s[", options->name, options->value ? "=" : "");
		print_plain(options->help);
		putchar(']');
		if (options->value) {
			putchar(':');
			print_plain(options->value);
			printf(":%s", is_directory(options) ? "_files -/"
				      : is_file(options)    ? "_files"
							    : "");
		}
		putchar('\'');
	}
}

static void print_zsh(const struct cli *cli, const struct cli_command *commands)
{
	printf("#compdef %s\n\nlocal verb=${words[2]}\nlocal -a verbs\nverbs=(\n", cli->tool);
	for (const struct cli_command *c = commands; c->name; c++) {
		printf("\t'%s:", c->name);
		print_plain(c->summary);
		printf("'\n");
	}
	printf(")\nif ((CURRENT == 2)); then\n\t_describe verb verbs\n\treturn\nfi\n"
	       "case \"$verb ${words[3]}\" in\n");
	for (const struct cli_command *c = commands; c->name; c++) {
		const char *second = strchr(c->name, ' ');

		printf("\t'%s'%s)\n\t\t_arguments", c->name, second ? "*" : "\\ *");
		zsh_options(c->options);
		zsh_options(cli_common_options);
		printf(" \\\n\t\t\t'*:operand:_files' ;;\n");
	}
	printf("esac\n");
}

int cli_print_completion(const struct cli *cli, const char *shell,
			 const struct cli_command *commands, struct error *err)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(cli, commands);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(cli, commands);
	else
		return cli_usage(cli, err, "--completion: \"%s\" is not bash or zsh", shell);
	return 0;
}

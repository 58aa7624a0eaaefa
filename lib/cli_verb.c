/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the verb of a command line, options in tables, and words in lists. */
#include "lib/cli_tables.h"

#include <stdlib.h>
#include <string.h>

const struct cli_option *cli_find_long(const struct cli_option *options, const char *name,
				       size_t length)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == length && memcmp(options->name, name, length) == 0)
			return options;
	return NULL;
}

const struct cli_option *cli_find_letter(const struct cli_option *options, char letter)
{
	for (; options && options->name; options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

int cli_choose(const char *words, const char *text)
{
	size_t length = strlen(text);

	for (int i = 0; *words; i++) {
		size_t word = strcspn(words, "|");

		if (word == length && memcmp(words, text, length) == 0)
			return i;
		words += word + (words[word] == '|');
	}
	return -1;
}

bool cli_is_group(const struct cli_command *commands, const char *word)
{
	size_t length = strlen(word);

	for (; commands->name; commands++)
		if (strncmp(commands->name, word, length) == 0 && commands->name[length] == ' ')
			return true;
	return false;
}

const struct cli_option *cli_find_option(const struct cli_command *commands, const char *word,
					 const char **value)
{
	bool is_long = word[1] == '-';
	size_t length = is_long ? strcspn(word + 2, "=") : 1;
	const char *rest = word + (is_long ? 2 + length : 2);
	const struct cli_option *option = NULL;

	for (; !option && commands->name; commands++)
		option = is_long ? cli_find_long(commands->options, word + 2, length)
				 : cli_find_letter(commands->options, word[1]);
	if (!option)
		option = is_long ? cli_find_long(cli_common_options, word + 2, length)
				 : cli_find_letter(cli_common_options, word[1]);
	*value = !*rest ? NULL : rest + is_long;
	return option;
}

/* True for an option that takes the next word as its value, by the tables of any verb. */
static bool takes_next_word(const struct cli_command *commands, const char *word)
{
	const char *value;
	const struct cli_option *option = cli_find_option(commands, word, &value);

	return option && option->kind != OPTION_FLAG && !value;
}

int cli_find_verb(const struct cli_command *commands, char **argv)
{
	int at = 1;

	for (; argv[at] && argv[at][0] == '-' && argv[at][1]; at++)
		if (takes_next_word(commands, argv[at]) && argv[at + 1])
			at++;
	return at;
}

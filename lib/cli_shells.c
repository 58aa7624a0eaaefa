/* SPDX-License-Identifier: Apache-2.0 */
/* Completion of command lines in bash and zsh, printed as the scripts that these shells load. They
 * only ask the tool itself what there is: cli_complete.c. */
#include "lib/cleanup.h"
#include "lib/cli_tables.h"
#include "lib/memory.h"

#include <stdio.h>
#include <string.h>

/* 1: the function's name; 2: the tool. What the tool prints is data, which is never evaluated. */
static const char bash[] =
	"%1$s() {\n"
	"\tlocal line=$COMP_LINE words=() cut part word\n"
	"\t# bash has split words at \"=\" and \":\", and replaces only what is behind the last\n"
	"\tfor part in \"${COMP_WORDS[@]::COMP_CWORD + 1}\"; do\n"
	"\t\tif ((${#words[@]})) && [[ $line != [[:space:]]* &&\n"
	"\t\t\t($part == [=:]* || ${words[-1]} == *[=:]) ]]; then\n"
	"\t\t\twords[-1]+=$part\n"
	"\t\t\t[[ $part != [=:]* ]] || cut=${words[-1]}\n"
	"\t\telse\n"
	"\t\t\twords+=(\"$part\") cut=\n"
	"\t\tfi\n"
	"\t\tline=${line#*\"$part\"}\n"
	"\tdone\n"
	"\tword=${words[-1]} part=${word#\"$cut\"} COMPREPLY=()\n"
	"\twhile IFS=$'\\t' read -r line _; do\n"
	"\t\t[[ $line != :[fd]* ]] || compopt -o filenames 2>/dev/null\n"
	"\t\tcase $line in\n"
	"\t\t:files) mapfile -t words < <(compgen -f -- \"$part\") ;;\n"
	"\t\t:directories) mapfile -t words < <(compgen -d -- \"$part\") ;;\n"
	"\t\t:commands) mapfile -t words < <(compgen -c -- \"$part\") ;;\n"
	"\t\t\"$word\"*)\n"
	"\t\t\twords=(\"${line#\"$cut\"}\")\n"
	"\t\t\t[[ $line != *[:/] ]] || compopt -o nospace 2>/dev/null\n"
	"\t\t\t;;\n"
	"\t\t*) words=() ;;\n"
	"\t\tesac\n"
	"\t\tCOMPREPLY+=(\"${words[@]}\")\n"
	"\tdone < <(%2$s --complete \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F %1$s %2$s\n";

static const char zsh[] = "#compdef %1$s\n\n"
			  "local line word kinds\n"
			  "local -a found begun\n"
			  "for line in ${(f)\"$(%1$s --complete \"${(@Q)words[2,CURRENT-1]}\" "
			  "\"$PREFIX\" 2>/dev/null)\"}; do\n"
			  "\tword=${line%%%%$'\\t'*}\n"
			  "\tif [[ $line == :* ]]; then\n"
			  "\t\tkinds+=$line\n"
			  "\telif [[ $word == *[:/] ]]; then\n"
			  "\t\tbegun+=(\"${word//:/\\\\:}\")\n"
			  "\telse\n"
			  "\t\tfound+=(\"${word//:/\\\\:}${${line#$word}/$'\\t'/:}\")\n"
			  "\tfi\n"
			  "done\n"
			  "((! $#found)) || _describe word found\n"
			  "((! $#begun)) || _describe word begun -S ''\n"
			  "[[ -z $kinds ]] || compset -P '*[=:]'\n"
			  "[[ $kinds != *:files* ]] || _files\n"
			  "[[ $kinds != *:directories* ]] || _path_files -/\n"
			  "[[ $kinds != *:commands* ]] || _command_names -e\n";

void cli_print_completion(const struct cli *cli, const char *shell)
{
	cleanup_free char *function = xasprintf("_%s", cli->tool);

	for (char *dash = function; (dash = strchr(dash, '-'));)
		*dash = '_';
	if (strcmp(shell, "bash") == 0)
		printf(bash, function, cli->tool);
	else
		printf(zsh, cli->tool);
}

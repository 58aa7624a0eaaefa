/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of every tool: a table of commands, each with a table of options. Parsing,
 * --help, --version, usage errors, error printing, signals and the check of stdout all derive from
 * the tables. Options may stand before or after operands, also before the verb, and are never
 * abbreviated; "--" ends them.
 *
 * Options that every verb of every tool takes: --root DIR, --runroot DIR, --log-level LEVEL,
 * --errors text|json, --json, --table, --help, --version.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_option_kind {
	OPTION_FLAG,   /* bool: set to true; "--no-NAME" sets it to false again */
	OPTION_STRING, /* const char *, borrowed from argv; the last one wins */
	OPTION_CHOICE, /* the same, but one of the words that `value` names: "text|json" */
	OPTION_LIST,   /* struct strings: each use adds one */
	OPTION_NUMBER, /* long long: a decimal number, checked; refuses what is not one */
};

/* One row of a command's option table; the table ends with a row whose name is NULL. */
struct cli_option {
	const char *name;  /* without the dashes */
	char letter;	   /* the one-letter form, or 0 */
	const char *value; /* what --help calls the value; NULL for a flag. Completion offers what
			    * is in lower case of "system|all|PLATFORM" */
	enum cli_option_kind kind;
	size_t offset;	  /* offsetof(the command's settings struct, field) */
	const char *help; /* one line; NULL for an alias that is accepted but not shown */
};

enum cli_output { OUTPUT_AUTO, OUTPUT_JSON, OUTPUT_TABLE };

/* What a command is given. */
struct cli {
	const char *tool;
	const char *verb;    /* "ns create" for a verb of two words */
	const char *root;    /* --root, $OCID_ROOT, else the default (rootless: below $HOME) */
	const char *runroot; /* --runroot, $OCID_RUNROOT, else the default */
	enum cli_output output;
	bool errors_json; /* --errors json, $OCID_ERRORS */
	char **operands;  /* NULL-terminated */
	int operand_count;
	void *settings; /* the command's settings struct, filled from the options */
};

struct cli_command {
	const char *name;		  /* "copy"; "ns create" for a verb of two words */
	const char *operands;		  /* as shown in --help: "SOURCE DESTINATION" */
	int operands_min, operands_max;	  /* max -1: any number */
	const char *summary;		  /* one line, lower case, no full stop */
	const char *details;		  /* further lines for --help, or NULL */
	const struct cli_option *options; /* or NULL */
	size_t settings_size;		  /* settings start as a copy of *defaults, else zeroed */
	const void *defaults;
	const char *lists;    /* what it lists, as operands and values are called, for completion:
			       * "ID|NAME"; or NULL */
	bool stop_at_operand; /* the first operand ends the options: the rest is a command line */
	/* Completion of operands that only the tool knows, by cli_offer_…(): what the one that is
	 * called so, of which `word` is typed already, can become. Returns whether it knows; or
	 * NULL
	 */
	bool (*offer)(const struct cli *cli, const char *called, const char *word);
	/* 0 when done; -1 with err filled; above 0: leave with exactly this exit status (a
	 * container's own, as for exec). Cleanup is done by scope; cli_main() closes stdout. */
	int (*run)(const struct cli *cli, struct error *err);
};

/* Run the tool: commands ends with a row whose name is NULL. Returns the exit status for main. */
int cli_main(const char *tool, const char *purpose, const struct cli_command *commands, int argc,
	     char **argv);

/* For cli_command.offer: files; what a word can begin with, "oci:"; and the names that a verb of a
 * tool lists, each with `before` before it, nothing where it fails. */
void cli_offer_files(void);
void cli_offer_beginning(const char *beginning);
void cli_offer_names(const struct cli *cli, const char *tool, const char *lister,
		     const char *before);

/* Tell an error that does not end the command, in the form that is wanted. */
void cli_tell(const struct cli *cli, const struct error *err);

/* Which of words, "one|two|three", text is, from 0 on; -1: none. */
int cli_choose(const char *words, const char *text);

/* A usage error: error_set(ERROR_USAGE) with a pointer to --help. Returns -1. */
int cli_usage(const struct cli *cli, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The signal (SIGHUP, SIGINT, SIGTERM) that asked the tool to end, or 0. Blocking calls then return
 * EINTR (no SA_RESTART), within a second also where the signal came just before: loops check this,
 * fail, and scopes undo what is half done; cli_main() exits with 128 + the signal whatever the
 * error is.
 */
int cli_interrupted(void);

/* The error of what ends for that reason. Returns -1. */
int cli_fail_interrupted(struct error *err);

/* Note one more like those, unless it is ignored. */
void cli_catch_signal(int number);

/* poll(2) for loops that may wait long: fails with EINTR at once where such a signal came before.
 */
struct pollfd;
int cli_poll(struct pollfd *fds, size_t count, int timeout_ms);

/* End as a signal would, but with ERROR_TEMPORARY, when so much time has gone by. */
void cli_limit_time(long long ms);

/* For undoing what is half done after such a signal: take the note of it away, so that programs
 * can be run and waited for again (a further signal is noted anew), and put it back at the end.
 * take returns the signal or 0, which is what put is given. */
int cli_interrupt_take(void);
void cli_interrupt_put(int number);

/* SPDX-License-Identifier: Apache-2.0 */
/* A tool from its first word to its exit status. */
#include "lib/cli.h"

#include "lib/cleanup.h"
#include "lib/cli_tables.h"
#include "lib/log.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int apply_common(struct cli *cli, struct cli_common *common, struct error *err)
{
	if (common->errors)
		cli->errors_json = strcmp(common->errors, "json") == 0;
	log_setup(cli->tool, (enum log_level)cli_choose(LOG_LEVELS, common->log_level));
	if (common->json && common->table)
		return cli_usage(cli, err, "--json and --table exclude each other");
	cli->output = common->json ? OUTPUT_JSON : common->table ? OUTPUT_TABLE : OUTPUT_AUTO;
	cli->root = common->root;
	cli->runroot = common->runroot;
	cli_default_roots(cli);
	return 0;
}

static int check_operands(const struct cli *cli, const struct cli_command *command,
			  struct error *err)
{
	if (cli->operand_count < command->operands_min)
		return cli_usage(cli, err, "missing operand: %s", command->operands);
	if (command->operands_max >= 0 && cli->operand_count > command->operands_max)
		return cli_usage(cli, err, "one operand too many: \"%s\"",
				 cli->operands[command->operands_max]);
	return 0;
}

/* As runc and skopeo do. */
static void print_version(const struct cli *cli)
{
	printf("%s version %s\n", cli->tool, OCID_VERSION);
}

/* The command at argv[*next], which may be two words. Moves *next past it. */
static const struct cli_command *find_command(const struct cli *cli,
					      const struct cli_command *commands, char **argv,
					      int *next, struct error *err)
{
	cleanup_free char *name = xstrdup(argv[*next]);

	(*next)++;
	if (cli_is_group(commands, name) && argv[*next] && argv[*next][0] != '-') {
		char *both = xasprintf("%s %s", name, argv[*next]);

		free(name);
		name = both;
		(*next)++;
	}
	for (; commands->name; commands++)
		if (strcmp(commands->name, name) == 0)
			return commands;
	cli_usage(cli, err, "no verb \"%s\"", name);
	return NULL;
}

static int dispatch_without_verb(struct cli_parser *p, const char *purpose,
				 const struct cli_command *commands, char **argv)
{
	if (cli_parse(p, argv, 1, 0) < 0)
		return -1;
	if (p->common->version) {
		print_version(p->cli);
		return 0;
	}
	if (p->common->completion) {
		cli_print_completion(p->cli, p->common->completion);
		return 0;
	}
	if (!p->common->help)
		return cli_usage(p->cli, p->err, "missing verb");
	cli_print_tool_help(p->cli, purpose, commands);
	return 0;
}

/* Everything but the words of the verb, of which the first is argv[verb]. */
static int parse_around(struct cli_parser *p, char **argv, int verb, int next)
{
	int reached = cli_parse(p, argv, 1, 0);

	if (reached < 0)
		return -1;
	if (reached != verb)
		return cli_usage(p->cli, p->err,
				 "an option before the verb takes it for its value");
	return cli_parse(p, argv, next, -1);
}

/* --errors json must also hold for a mistake that stands before it. */
static bool wants_errors_json(char **argv)
{
	for (int i = 1; argv[i] && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--errors=json") == 0 ||
		    (strcmp(argv[i], "--errors") == 0 && argv[i + 1] &&
		     strcmp(argv[i + 1], "json") == 0))
			return true;
	return false;
}

/* "help", alone or before a verb. */
static int show_help(const struct cli *cli, const char *purpose, const struct cli_command *commands,
		     char **argv, int next, struct error *err)
{
	if (!argv[next]) {
		cli_print_tool_help(cli, purpose, commands);
		return 0;
	}
	const struct cli_command *command = find_command(cli, commands, argv, &next, err);
	if (!command)
		return -1;
	cli_print_help(cli, command);
	return 0;
}

/* Parse everything, then run the command. Returns its result; help and version are done here. */
static int dispatch(struct cli *cli, const char *purpose, const struct cli_command *commands,
		    char **argv, struct error *err)
{
	struct cli_common common = { .log_level = "warn" };
	struct cli_parser parser = { .cli = cli, .common = &common, .err = err };
	int verb = cli_find_verb(commands, argv), next = verb;

	if (!argv[verb])
		return dispatch_without_verb(&parser, purpose, commands, argv);
	if (strcmp(argv[verb], "help") == 0)
		return show_help(cli, purpose, commands, argv, verb + 1, err);
	parser.command = find_command(cli, commands, argv, &next, err);
	if (!parser.command)
		return -1;
	cli->verb = parser.command->name;
	cli->settings = xcalloc(1, parser.command->settings_size);
	if (parser.command->defaults)
		memcpy(cli->settings, parser.command->defaults, parser.command->settings_size);
	cli->errors_json = cli->errors_json || wants_errors_json(argv);
	if (parse_around(&parser, argv, verb, next) < 0)
		return -1;
	if (common.version) {
		print_version(cli);
		return 0;
	}
	if (common.help) {
		cli_print_help(cli, parser.command);
		return 0;
	}
	if (apply_common(cli, &common, err) < 0 || check_operands(cli, parser.command, err) < 0)
		return -1;
	return parser.command->run(cli, err);
}

static void free_settings(const struct cli *cli, const struct cli_command *commands)
{
	if (!cli->settings)
		return;
	for (; commands->name && commands->name != cli->verb; commands++)
		;
	for (const struct cli_option *o = commands->options; o && o->name; o++)
		if (o->kind == OPTION_LIST)
			strings_free((void *)((char *)cli->settings + o->offset));
	free(cli->settings);
}

/* A result that did not reach its reader is a failure (`tool > /dev/full`). */
static int close_stdout(struct error *err)
{
	bool failed = fflush(stdout) != 0 || ferror(stdout);

	if (failed || (close(STDOUT_FILENO) < 0 && errno != EBADF))
		return errno == EPIPE ? 128 + SIGPIPE : error_os(err, "standard output");
	return 0;
}

/* A standard descriptor that is closed would become a file of ours, and then a child's. Where it
 * should be written to, writing shall still fail. */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= STDIN_FILENO && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void cli_tell(const struct cli *cli, const struct error *err)
{
	error_print(err, cli->tool, cli->verb, cli->errors_json);
}

int cli_main(const char *tool, const char *purpose, const struct cli_command *commands, int argc,
	     char **argv)
{
	const char *form = getenv("OCID_ERRORS");
	struct cli cli = { .tool = tool, .errors_json = form && strcmp(form, "json") == 0 };
	struct error err;

	cli.operands = xcalloc((size_t)argc + 1, sizeof *cli.operands);
	fill_standard();
	log_setup(tool, LOG_LEVEL_WARN);
	cli_catch_signals();

	int status = 0;
	if (argc > 1 && strcmp(argv[1], "--complete") == 0)
		cli_complete(&cli, commands, argv + 2);
	else
		status = dispatch(&cli, purpose, commands, argv, &err);
	/* who has seen that nobody reads any more has said so */
	if (status >= 0 && status != 128 + SIGPIPE) {
		int closed = close_stdout(&err);

		status = closed ? closed : status;
	}
	if (cli_interrupted() == SIGALRM && status != 0) {
		status = error_set(&err, ERROR_TEMPORARY, "not done within the time allowed");
		cli_interrupt_take();
	}
	if (cli_interrupted() && status != 0) {
		status = 128 + cli_interrupted();
	} else if (status < 0) {
		cli_tell(&cli, &err);
		status = (int)err.kind;
	}
	free_settings(&cli, commands);
	free(cli.operands);
	return status;
}

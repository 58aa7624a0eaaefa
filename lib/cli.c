/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-written rather than getopt_long: that one accepts abbreviations, prints by itself and
 * cannot derive --help from its table. */
#include "lib/cli.h"

#include "lib/cli_tables.h"
#include "lib/log.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parser {
	struct cli *cli;
	const struct cli_command *command;
	struct cli_common *common;
	struct error *err;
};

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

static int store_number(struct parser *p, const struct cli_option *option, void *field,
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

static int store_option(struct parser *p, const struct cli_option *option, void *settings,
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
static int store_flag(struct parser *p, const struct cli_option *option, void *settings,
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
static bool clear_flag(struct parser *p, const char *name, size_t length)
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
static int parse_long(struct parser *p, char **argv, int *next)
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

/* A group of letters: "-q", "-qf", "-oFILE", "-o FILE". */
static int parse_letters(struct parser *p, char **argv, int *next)
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
			value = letters[1] ? letters + 1 : argv[(*next)++];
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

/* Parse argv up to `stop` operands (-1: all); operands are appended. Returns the index reached. */
static int parse(struct parser *p, char **argv, int next, int stop)
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

/* A variable that is empty is as one that is not there. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* DESIGN section 3: the system's directories for root, the user's own for everybody else. */
void cli_default_roots(struct cli *cli)
{
	const char *data = variable("XDG_DATA_HOME"), *run = variable("XDG_RUNTIME_DIR");
	const char *home = variable("HOME");

	if (!cli->root)
		cli->root = variable("OCID_ROOT");
	if (!cli->runroot)
		cli->runroot = variable("OCID_RUNROOT");
	if (geteuid() == 0) {
		cli->root = cli->root ? cli->root : "/var/lib/ocid";
		cli->runroot = cli->runroot ? cli->runroot : "/run/ocid";
		return;
	}
	if (!cli->root)
		cli->root = data ? xasprintf("%s/ocid", data)
				 : xasprintf("%s/.local/share/ocid", home ? home : "/");
	if (!cli->runroot)
		cli->runroot = run ? xasprintf("%s/ocid", run)
				   : xasprintf("/tmp/ocid-%u", (unsigned)geteuid());
}

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

static int dispatch_without_verb(struct parser *p, const char *purpose,
				 const struct cli_command *commands, char **argv)
{
	if (parse(p, argv, 1, 0) < 0)
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
static int parse_around(struct parser *p, char **argv, int verb, int next)
{
	int reached = parse(p, argv, 1, 0);

	if (reached < 0)
		return -1;
	if (reached != verb)
		return cli_usage(p->cli, p->err,
				 "an option before the verb takes it for its value");
	return parse(p, argv, next, -1);
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
	const struct cli_command *command = cli_find_command(cli, commands, argv, &next, err);
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
	struct parser parser = { .cli = cli, .common = &common, .err = err };
	int verb = cli_find_verb(commands, argv), next = verb;

	if (!argv[verb])
		return dispatch_without_verb(&parser, purpose, commands, argv);
	if (strcmp(argv[verb], "help") == 0)
		return show_help(cli, purpose, commands, argv, verb + 1, err);
	parser.command = cli_find_command(cli, commands, argv, &next, err);
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

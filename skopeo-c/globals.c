/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/globals.h"

#include "lib/duration.h"
#include "lib/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct globals {
	const char *time_limit, *temporary, *agent_prefix, *registries_conf, *tls_details;
	bool debug;
	const char *text; /* what has no meaning for a verb */
	bool flag;
	int (*run)(const struct cli *cli, struct error *err); /* the verb's own */
};

#define FIELD(name) offsetof(struct globals, name)

/* Verbs that choose an image of an index, or copy one, have the last ones themselves; for the
 * others, as with skopeo, they say nothing. */
static const struct cli_option options[] = {
	{ "command-timeout", 0, "TIME", OPTION_STRING, FIELD(time_limit), NULL },
	{ "debug", 0, NULL, OPTION_FLAG, FIELD(debug), NULL },
	{ "tmpdir", 0, "DIR", OPTION_STRING, FIELD(temporary), NULL },
	{ "user-agent-prefix", 0, "TEXT", OPTION_STRING, FIELD(agent_prefix), NULL },
	{ "registries-conf", 0, "FILE", OPTION_STRING, FIELD(registries_conf), NULL },
	{ "tls-details", 0, "FILE", OPTION_STRING, FIELD(tls_details), NULL },
	{ "insecure-policy", 0, NULL, OPTION_FLAG, FIELD(flag), NULL },
	{ "require-signed", 0, NULL, OPTION_FLAG, FIELD(flag), NULL },
	{ "policy", 0, "FILE", OPTION_STRING, FIELD(text), NULL },
	{ "registries.d", 0, "DIR", OPTION_STRING, FIELD(text), NULL },
	{ "override-os", 0, "OS", OPTION_STRING, FIELD(text), NULL },
	{ "override-arch", 0, "ARCH", OPTION_STRING, FIELD(text), NULL },
	{ "override-variant", 0, "VARIANT", OPTION_STRING, FIELD(text), NULL },
};

enum { OPTIONS = sizeof options / sizeof *options };

/* ---- what they say ---- */

static int limit_time(const struct cli *cli, const char *text, struct error *err)
{
	int64_t ms = duration_parse(text, DURATION_MAX_MS);

	if (ms < 0)
		return cli_usage(cli, err, "--command-timeout: \"%s\" is not a time such as 90s",
				 text);
	cli_limit_time(ms);
	return 0;
}

static int check_agent(const struct cli *cli, const char *text, struct error *err)
{
	for (const char *c = text; *c; c++)
		if (!isprint((unsigned char)*c))
			return cli_usage(cli, err, "--user-agent-prefix is printable ASCII");
	return 0;
}

/* Where these are looked up there is an environment variable already that says the same. */
static void set(const char *variable, const char *value)
{
	if (value)
		setenv(variable, value, 1);
}

static int apply(const struct cli *cli, const struct globals *globals, struct error *err)
{
	if (globals->tls_details) {
		error_set(err, ERROR_UNSUPPORTED, "--tls-details is not supported");
		return error_hint(err, "openssl.cnf(5) says what versions and ciphers are used");
	}
	if (globals->time_limit && limit_time(cli, globals->time_limit, err) < 0)
		return -1;
	if (globals->agent_prefix && check_agent(cli, globals->agent_prefix, err) < 0)
		return -1;
	if (globals->debug)
		log_setup(cli->tool, LOG_LEVEL_DEBUG);
	set("TMPDIR", globals->temporary);
	set("CONTAINERS_REGISTRIES_CONF", globals->registries_conf);
	set("SKOPEO_C_USER_AGENT_PREFIX", globals->agent_prefix);
	return 0;
}

/* ---- the verbs ---- */

/* The settings of a verb begin with these: its own stand behind. */
enum { GLOBALS_SIZE = (sizeof(struct globals) + 15) / 16 * 16 };

static int run(const struct cli *cli, struct error *err)
{
	const struct globals *globals = cli->settings;
	struct cli own = *cli;

	own.settings = (char *)cli->settings + GLOBALS_SIZE;
	return apply(cli, globals, err) < 0 ? -1 : globals->run(&own, err);
}

static bool has_option(const struct cli_option *table, const char *name)
{
	for (; table && table->name; table++)
		if (strcmp(table->name, name) == 0)
			return true;
	return false;
}

static const struct cli_option *all_options(const struct cli_option *own)
{
	size_t count = 0;

	while (own && own[count].name)
		count++;
	struct cli_option *all = xcalloc(count + OPTIONS + 1, sizeof *all);
	for (size_t i = 0; i < count; i++) {
		all[i] = own[i];
		all[i].offset += GLOBALS_SIZE;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (!has_option(own, options[i].name))
			all[count++] = options[i];
	return all;
}

static void *all_defaults(const struct cli_command *command)
{
	char *defaults = xcalloc(1, GLOBALS_SIZE + command->settings_size);
	const struct globals globals = { .run = command->run };

	memcpy(defaults, &globals, sizeof globals);
	if (command->defaults)
		memcpy(defaults + GLOBALS_SIZE, command->defaults, command->settings_size);
	return defaults;
}

struct cli_command *globals_add(const struct cli_command *commands)
{
	size_t count = 0;

	while (commands[count].name)
		count++;
	struct cli_command *all = xcalloc(count + 1, sizeof *all);
	for (size_t i = 0; i < count; i++) {
		all[i] = commands[i];
		all[i].options = all_options(commands[i].options);
		all[i].defaults = all_defaults(&commands[i]);
		all[i].settings_size = GLOBALS_SIZE + commands[i].settings_size;
		all[i].run = run;
	}
	return all;
}

void globals_free(struct cli_command *commands)
{
	for (struct cli_command *command = commands; command->name; command++) {
		free((void *)command->options);
		free((void *)command->defaults);
	}
	free(commands);
}

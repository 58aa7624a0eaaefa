/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch check: whether a server could run by its configuration. */
#include "ocid-dispatch/check.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/spawn.h"
#include "ocid-dispatch/commands.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/stream_server.h"

#include <stddef.h>
#include <string.h>

struct settings {
	const char *configuration;
};

static const struct settings defaults = { .configuration = CONFIGURATION_PATH };

static const struct cli_option options[] = {
	{ "config", 'c', "FILE", OPTION_STRING, offsetof(struct settings, configuration),
	  "configuration file (default " CONFIGURATION_PATH ")" },
	{ 0 },
};

int check_runtimes(const struct configuration *configuration, struct error *err)
{
	const char *name, *by_default = configuration_handler(configuration, "");
	json_t *runtime;

	json_object_foreach (json_object_get(configuration->json, "runtimes"), name, runtime) {
		const char *path = json_text(runtime, "path", "");
		cleanup_free char *found = spawn_find(path);

		if (found)
			continue;
		if (strcmp(name, by_default) == 0) {
			error_set(err, ERROR_NOT_FOUND,
				  "\"runtimes.%s.path\": there is no program %s", name, path);
			return error_hint(err, "install it, or choose another \"defaultRuntime\"");
		}
		if (!configuration->runc_is_ours || strcmp(name, CONFIGURATION_RUNC) != 0)
			log_message(LOG_LEVEL_WARN,
				    "\"runtimes.%s.path\": there is no program %s: pods of this "
				    "handler will fail",
				    name, path);
	}
	return 0;
}

static int check_streams(const json_t *configuration, struct error *err)
{
	const json_t *stream = json_object_get(configuration, "stream");
	const struct stream_settings settings = {
		.address = json_text(stream, "address", ""),
		.tls_certificate = json_text(stream, "certificate", NULL),
		.tls_key = json_text(stream, "key", NULL),
	};

	if (stream_server_check(&settings, err) == 0)
		return 0;
	err->kind = err->kind == ERROR_USAGE ? ERROR_INTEGRITY : err->kind;
	return error_prefix(err, "\"stream\"");
}

int check_configuration(const struct configuration *configuration, struct error *err)
{
	return check_runtimes(configuration, err) < 0 ? -1
						      : check_streams(configuration->json, err);
}

static int run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_configuration struct configuration configuration = { 0 };

	if (configuration_load(settings->configuration, &configuration, err) < 0 ||
	    check_configuration(&configuration, err) < 0)
		return -1;
	return output_object(cli, configuration.json, err);
}

const struct cli_command command_check = {
	.name = "check",
	.summary = "check the configuration, and print it with its defaults",
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};

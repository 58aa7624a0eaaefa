/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch serve */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/path.h"
#include "ocid-dispatch/apparmor.h"
#include "ocid-dispatch/check.h"
#include "ocid-dispatch/commands.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/listener.h"
#include "ocid-dispatch/recover.h"
#include "ocid-dispatch/rpc.h"
#include "ocid-dispatch/server.h"
#include "ocid-dispatch/stream_server.h"
#include "ocid-dispatch/trace.h"

#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

enum { DRAIN_SECONDS = 10, DRAIN_SECONDS_MAX = 3600, RUNROOT_MODE = 0711 };
enum { MMAP_THRESHOLD = 256 << 10, UNSET = -1 };

struct settings {
	const char *listen, *configuration;
	const char *stream_address, *stream_certificate, *stream_key;
	long long drain_seconds, stream_port;
	bool trace;
};

static const struct settings defaults = { .configuration = CONFIGURATION_PATH,
					  .drain_seconds = DRAIN_SECONDS,
					  .stream_port = UNSET };

static const struct cli_option options[] = {
	{ "listen", 'l', "PATH", OPTION_STRING, offsetof(struct settings, listen),
	  "Unix socket (default: as configured, or RUNROOT/ocid.sock)" },
	{ "config", 'c', "FILE", OPTION_STRING, offsetof(struct settings, configuration),
	  "configuration file (default " CONFIGURATION_PATH "); SIGHUP reloads it" },
	{ "trace", 0, NULL, OPTION_FLAG, offsetof(struct settings, trace),
	  "print the commands to stderr, ready to paste" },
	{ "stream-address", 0, "ADDRESS", OPTION_STRING, offsetof(struct settings, stream_address),
	  "address for exec, attach and port forwarding (default 127.0.0.1)" },
	{ "stream-port", 0, "PORT", OPTION_NUMBER, offsetof(struct settings, stream_port),
	  "port for exec, attach and port forwarding (default 0: any)" },
	{ "stream-tls-cert", 0, "FILE", OPTION_STRING,
	  offsetof(struct settings, stream_certificate),
	  "TLS certificate chain for exec, attach and port forwarding (PEM)" },
	{ "stream-tls-key", 0, "FILE", OPTION_STRING, offsetof(struct settings, stream_key),
	  "key of that certificate (PEM)" },
	{ "drain", 0, "SECONDS", OPTION_NUMBER, offsetof(struct settings, drain_seconds),
	  "how long calls may continue after SIGTERM (default 10)" },
	{ 0 },
};

/* The streaming server: the options', else as configured. */
static int open_streams(const struct cli *cli, const json_t *configuration,
			struct stream_server *streams, struct error *err)
{
	const struct settings *settings = cli->settings;
	const json_t *configured = json_object_get(configuration, "stream");
	const char *address = settings->stream_address, *certificate = settings->stream_certificate;
	const char *key = settings->stream_key;
	long long port = settings->stream_port;

	if (port == UNSET)
		port = json_integer_value(json_object_get(configured, "port"));
	if (port < 0 || port > STREAM_PORT_MAX)
		return cli_usage(cli, err, "--stream-port: between 0 and %d", STREAM_PORT_MAX);

	const struct stream_settings chosen = {
		.address = address ? address : json_text(configured, "address", "127.0.0.1"),
		.port = (int)port,
		.tls_certificate =
			certificate ? certificate : json_text(configured, "certificate", NULL),
		.tls_key = key ? key : json_text(configured, "key", NULL),
		.root = cli->root,
		.runroot = cli->runroot,
	};
	return stream_server_open(&chosen, streams, err);
}

static int serve_at(const struct cli *cli, const char *path, struct configuration *configuration,
		    struct error *err)
{
	const struct settings *settings = cli->settings;
	const struct rpc_context context = { .root = cli->root,
					     .runroot = cli->runroot,
					     .configuration = configuration,
					     .trace = settings->trace };
	/* what the streaming server began with stays, whatever is reloaded */
	json_auto_t *configured = json_incref(configuration->json);
	struct stream_server streams;
	struct listener listener;

	if (listener_open(path, &listener, err) < 0)
		return -1;
	if (open_streams(cli, configured, &streams, err) < 0) {
		listener_close(&listener);
		return -1;
	}
	if (context.trace)
		trace_environment(&context);
	apparmor_load(&context);
	recover(&context);

	const struct server_settings server = { .listener = &listener,
						.drain_seconds = (int)settings->drain_seconds,
						.root = cli->root,
						.runroot = cli->runroot,
						.configuration_path = settings->configuration,
						.configuration = configuration,
						.trace = settings->trace,
						.streams = &streams };
	int status = server_run(&server, err);
	stream_server_close(&streams);
	listener_close(&listener);
	return status;
}

/* The socket's path: the option's, else the configured one. */
static char *choose_path(const struct cli *cli, const struct configuration *configuration)
{
	const struct settings *settings = cli->settings;
	const char *path = settings->listen ? settings->listen
					    : json_text(configuration->json, "listen", NULL);

	return path ? xstrdup(path) : xasprintf("%s/ocid.sock", cli->runroot);
}

/* One that comes while the server starts is for the server: it waits until that asks for it. */
static void hold_back_hangup(void)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
	/* one from before asks for what is to be read anyway */
	if (cli_interrupted() == SIGHUP)
		cli_interrupt_take();
}

/* A runtime may still come, as by a package that is installed after ours. */
static void warn_of_runtimes(const struct configuration *configuration)
{
	struct error err = { 0 };

	if (check_runtimes(configuration, &err) < 0)
		log_message(LOG_LEVEL_WARN, "%s", err.message);
}

static int run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_configuration struct configuration configuration = { 0 };

	if (settings->drain_seconds < 0 || settings->drain_seconds > DRAIN_SECONDS_MAX)
		return cli_usage(cli, err, "--drain: between 0 and %d", DRAIN_SECONDS_MAX);
	/* a constant: else the first large request would teach malloc to keep such sizes for ever
	 */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	/* requests bring credentials: no core files of us and of handlers */
	prctl(PR_SET_DUMPABLE, 0);
	hold_back_hangup();
	if (configuration_load(settings->configuration, &configuration, err) < 0)
		return -1;
	warn_of_runtimes(&configuration);
	cleanup_free char *path = choose_path(cli, &configuration);
	if (!settings->listen && path_make_dirs(cli->runroot, RUNROOT_MODE, err) < 0)
		return -1;
	return serve_at(cli, path, &configuration, err);
}

const struct cli_command command_serve = {
	.name = "serve",
	.summary = "answer gRPC calls on a Unix socket until SIGTERM",
	.details =
		"The socket has mode 0600. Each call is served by a process of its own that runs\n"
		"the tools; they are looked up in $OCID_LIBEXEC, beside this program and in PATH.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* ocid-dispatch serve */
#include "ocid-dispatch/commands.h"

#include "lib/cleanup.h"
#include "lib/path.h"
#include "ocid-dispatch/listener.h"
#include "ocid-dispatch/server.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { DRAIN_SECONDS = 10, DRAIN_SECONDS_MAX = 3600, RUNROOT_MODE = 0711 };
enum { MMAP_THRESHOLD = 256 << 10 };

struct settings {
	const char *listen;
	long long drain_seconds;
};

static const struct settings defaults = { .drain_seconds = DRAIN_SECONDS };

static const struct cli_option options[] = {
	{ "listen", 'l', "PATH", OPTION_STRING, offsetof(struct settings, listen),
	  "the unix socket (default RUNROOT/ocid.sock)" },
	{ "drain", 0, "SECONDS", OPTION_NUMBER, offsetof(struct settings, drain_seconds),
	  "how long running calls may go on after SIGTERM (default 10)" },
	{ 0 },
};

static int serve_at(const struct cli *cli, const char *path, int drain_seconds, struct error *err)
{
	struct listener listener;

	if (listener_open(path, &listener, err) < 0)
		return -1;

	struct server_settings settings = { listener.fd, drain_seconds, cli->root, cli->runroot };
	int status = server_run(&settings, err);
	listener_close(&listener);
	return status;
}

static int run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_free char *path = settings->listen ? xstrdup(settings->listen)
						   : xasprintf("%s/ocid.sock", cli->runroot);

	if (settings->drain_seconds < 0 || settings->drain_seconds > DRAIN_SECONDS_MAX)
		return cli_usage(cli, err, "--drain: between 0 and %d", DRAIN_SECONDS_MAX);
	/* a constant: else the first large request would teach malloc to keep such sizes for ever
	 */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	/* requests bring credentials: no core files of us and of handlers */
	prctl(PR_SET_DUMPABLE, 0);
	if (!settings->listen && path_make_dirs(cli->runroot, RUNROOT_MODE, err) < 0)
		return -1;
	return serve_at(cli, path, (int)settings->drain_seconds, err);
}

const struct cli_command command_serve = {
	.name = "serve",
	.summary = "answer gRPC calls on a unix socket until SIGTERM",
	.details = "The socket has mode 0600. Each call is served by a process of its own that\n"
		   "runs the tools; they are found in $OCID_LIBEXEC, else beside this program,\n"
		   "else in PATH.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};

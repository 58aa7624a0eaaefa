/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/launch.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/running.h"
#include "lib/spawn.h"
#include "lib/store.h"
#include "ocid-shim/children.h"
#include "ocid-shim/container.h"
#include "ocid-shim/log_target.h"
#include "ocid-shim/monitor/protocol.h"
#include "ocid-shim/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptors that the monitor gets. */
struct inheritance {
	int sync_fd, lock_fd, runtime_log_fd;
};

static int start_monitor(const struct store *store, const struct launch *launch,
			 const struct inheritance *fds, struct error *err)
{
	cleanup_free char *path = spawn_tool_path("ocid-shim-monitor");
	cleanup_strings struct strings argv = { 0 };

	/* in the order of enum monitor_argument */
	strings_add(&argv, path);
	strings_addf(&argv, "%d", fds->sync_fd);
	strings_addf(&argv, "%d", launch->dir_fd);
	strings_addf(&argv, "%d", fds->lock_fd);
	strings_addf(&argv, "%d", launch->busy_fd);
	if (launch->log_fd >= 0)
		strings_addf(&argv, "%d", launch->log_fd);
	else
		strings_add(&argv, "-");
	strings_addf(&argv, "%d", fds->runtime_log_fd);
	strings_addf(&argv, "-%s%s%s%s%s%s", launch->terminal ? "t" : "",
		     launch->no_pivot ? "n" : "", launch->shares_pids ? "s" : "",
		     launch->has_input ? "i" : "", launch->input_ends_once ? "o" : "",
		     launch->starts ? "r" : "");
	strings_add(&argv, launch->id);
	strings_addf(&argv, "%s/containers/%s", store->runroot, launch->id);
	strings_add(&argv, launch->bundle);
	strings_add(&argv, launch->log->path ? launch->log->path : "");
	strings_addf(&argv, "%lld", launch->log->size_max);
	strings_addf(&argv, "%lld", launch->log->files_max);
	strings_add(&argv, launch->log->journal ? launch->log->journal : "");
	strings_add(&argv, launch->log->fields ? launch->log->fields : "");
	strings_addf(&argv, "%lld", launch->oom_kills);
	strings_add(&argv, launch->restore ? launch->restore : "");
	strings_add(&argv, launch->cgroup_end);
	strings_addf(&argv, "%zu", launch->exit_command->count);
	for (size_t i = 0; i < launch->exit_command->count; i++)
		strings_add(&argv, launch->exit_command->items[i]);
	runtime_command(store, launch->runtime, launch->options, fds->runtime_log_fd, &argv);

	const int pass[] = { fds->sync_fd,
			     launch->dir_fd,
			     fds->lock_fd,
			     launch->busy_fd,
			     fds->runtime_log_fd,
			     launch->log_fd, /* which may be the -1 that ends the list */
			     -1 };
	cleanup_free const char **environment = runtime_environment(launch->notifies);
	const struct spawn spawn = { .argv = (const char *const *)argv.items,
				     .environment = environment,
				     .pass_fds = pass };
	/* it outlives us, or we its end: nobody waits for it as a child */
	return spawn_start(&spawn, err) < 0 ? -1 : 0;
}

/* The monitor's lock is taken here, so that it is held before there is a monitor; it stays with the
 * descriptor, in whatever process that is. */
static int make_lock(int dir_fd, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, "shim.pid", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_os(err, "cannot make shim.pid");
	if (lock_byte(fd, RUNNING_MONITOR, LOCK_EXCLUSIVE, false, "shim.pid", err) < 0)
		return -1;
	return steal_fd(&fd);
}

static int failure(const struct launch *launch, int log_fd, const struct monitor_report *report,
		   struct error *err)
{
	int status = report->number;

	if (report->kind == MONITOR_RUNTIME_FAILED)
		return runtime_failed(
			launch->runtime, log_fd, report->text,
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), err);
	if (report->number == 0)
		return error_set(err, ERROR_FAILED, "%s", report->text);
	errno = report->number;
	return error_os(err, "the monitor: %s", report->text);
}

static int hear(const struct launch *launch, struct launched *launched, int log_fd,
		struct error *err)
{
	struct pollfd said = { launched->sync_fd, POLLIN, 0 };
	struct monitor_report report;

	while (cli_poll(&said, 1, -1) < 0)
		if (errno != EINTR || cli_interrupted())
			return error_os(err, "waiting for %s", launch->runtime);
	ssize_t got = recv(launched->sync_fd, &report, sizeof report, MSG_DONTWAIT);
	if (got < 0)
		return error_os(err, "waiting for %s", launch->runtime);
	if (got != sizeof report)
		return error_set(err, ERROR_FAILED, "the container's monitor died");
	report.text[sizeof report.text - 1] = '\0';
	if (report.kind != MONITOR_CREATED)
		return failure(launch, log_fd, &report, err);
	launched->init = report.number;
	memcpy(launched->started, report.text, sizeof launched->started - 1);
	return 0;
}

int launch_start(const struct store *store, const struct launch *launch, struct launched *launched,
		 struct error *err)
{
	int pair[2];

	/* what a monitor leaves that is killed becomes ours */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return error_os(err, "subreaper");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_os(err, "socket pair");

	cleanup_launched struct launched mine = { .sync_fd = pair[0] };
	cleanup_fd int theirs = pair[1];
	cleanup_fd int lock_fd = make_lock(launch->dir_fd, err);
	cleanup_fd int log_fd = lock_fd < 0 ? -1 : runtime_log_open(err);
	const struct inheritance fds = { theirs, lock_fd, log_fd };
	if (log_fd < 0 || start_monitor(store, launch, &fds, err) < 0)
		return -1;
	/* ours would keep the lock and the socket alive after the monitor's end */
	close(steal_fd(&theirs));
	close(steal_fd(&lock_fd));
	if (hear(launch, &mine, log_fd, err) < 0)
		return -1;
	*launched = mine;
	mine.sync_fd = -1;
	return 0;
}

int launch_commit(struct launched *launched, struct error *err)
{
	const char byte = MONITOR_COMMIT;

	if (send(launched->sync_fd, &byte, 1, MSG_NOSIGNAL) < 0)
		return error_set(err, ERROR_FAILED, "the container's monitor died");
	close(steal_fd(&launched->sync_fd));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return 0;
}

void launch_undo(struct launched *launched)
{
	struct monitor_report report;
	ssize_t got;

	if (launched->sync_fd < 0)
		return;
	shutdown(launched->sync_fd, SHUT_WR);
	/* the end of the socket is the end of the monitor */
	do
		got = recv(launched->sync_fd, &report, sizeof report, 0);
	while (got > 0 || (got < 0 && errno == EINTR));
	close(steal_fd(&launched->sync_fd));
	children_end();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocid-shim-monitor: started by ocid-shim for one container (protocol.h). Phases:
 *
 *   1. detach, become the subreaper, run the runtime's `create` (or `run`, or `restore`)
 *   2. report; keep the container only once ocid-shim commits, else undo everything
 *   3. move output to the log until the container's init has exited
 *   4. record the exit, and exit: the lock on shim.pid goes, which is what waiters wait for
 */
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GRACE_MS = 5000,  /* for a runtime that nobody waits for any more: cut short, it leaks */
	DELETE_MS = 20000 /* for `delete --force` */
};

/* A decimal number; -1 where it is none. */
static long long parse_number(const char *digits)
{
	long long number = 0;

	for (; *digits >= '0' && *digits <= '9' && number < 1LL << 58; digits++)
		number = number * 10 + (*digits - '0');
	return *digits ? -1 : number;
}

static int parse_fd(const char *digits)
{
	int fd = (int)parse_number(digits);

	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : fd;
}

/* Where the log goes. False where that makes no sense. */
static bool parse_log(struct log *log, char **argv)
{
	struct stat status;
	bool has_file = strcmp(argv[MONITOR_LOG], "-") != 0;

	log->fd = has_file ? parse_fd(argv[MONITOR_LOG]) : -1;
	log->path = argv[MONITOR_LOG_PATH];
	log->max = parse_number(argv[MONITOR_LOG_MAX]);
	log->files = (int)parse_number(argv[MONITOR_LOG_FILES]);
	log->journal.fd = -1;
	if (argv[MONITOR_JOURNAL][0] &&
	    journal_open(&log->journal, argv[MONITOR_JOURNAL], argv[MONITOR_JOURNAL_FIELDS]) < 0)
		return false;
	if (has_file && fstat(log->fd, &status) < 0)
		return false;
	log->size = has_file ? status.st_size : 0;
	return log->max >= 0 && log->files >= 0;
}

static bool parse(struct monitor *m, int argc, char **argv)
{
	if (argc <= MONITOR_RUNTIME)
		return false;
	m->sync_fd = parse_fd(argv[MONITOR_SYNC]);
	m->dir_fd = parse_fd(argv[MONITOR_DIR]);
	m->lock_fd = parse_fd(argv[MONITOR_LOCK]);
	m->busy_fd = parse_fd(argv[MONITOR_BUSY]);
	m->runtime_log_fd = parse_fd(argv[MONITOR_RUNTIME_LOG]);
	m->terminal = strchr(argv[MONITOR_OPTIONS], 't') != NULL;
	m->no_pivot = strchr(argv[MONITOR_OPTIONS], 'n') != NULL;
	m->shares_pids = strchr(argv[MONITOR_OPTIONS], 's') != NULL;
	m->starts = strchr(argv[MONITOR_OPTIONS], 'r') != NULL;
	m->input_ends_once = strchr(argv[MONITOR_OPTIONS], 'o') != NULL;
	m->has_input = strchr(argv[MONITOR_OPTIONS], 'i') != NULL;
	m->id = argv[MONITOR_ID];
	m->dir_path = argv[MONITOR_DIR_PATH];
	m->bundle = argv[MONITOR_BUNDLE];
	m->restore = argv[MONITOR_RESTORE];
	m->cgroup_end = argv[MONITOR_CGROUP_END];
	m->exit_command = argv + MONITOR_RUNTIME;
	m->exit_words = (int)parse_number(argv[MONITOR_EXIT_WORDS]);
	if (m->exit_words < 0 || argc - MONITOR_RUNTIME <= m->exit_words)
		return false;
	m->runtime = m->exit_command + m->exit_words;
	m->oom_kills_before = parse_number(argv[MONITOR_OOM_KILLS]);
	m->oom_fd = m->oom_event_fd = m->oom_slice_fd = -1;
	m->control_fd = m->console_listen_fd = m->console_fd = m->input_fd = -1;
	for (size_t i = 0; i < MONITOR_ATTACHERS; i++)
		m->attachers[i].fd = -1;
	m->streams[0].fd = m->streams[1].fd = -1;
	m->streams[0].name = "stdout";
	m->streams[1].name = "stderr";
	return m->sync_fd >= 0 && m->dir_fd >= 0 && m->lock_fd >= 0 && m->busy_fd >= 0 &&
	       m->runtime_log_fd >= 0 && parse_log(&m->log, argv);
}

static void write_own_pid(const struct monitor *m)
{
	char digits[24];
	struct text text = { digits, sizeof digits, 0 };

	text_add_number(&text, getpid());
	text_add(&text, "\n");
	if (pwrite(m->lock_fd, digits, text.length, 0) < 0)
		return; /* for people; the lock is what counts */
}

static void report(const struct monitor *m, enum monitor_report_kind kind, int number,
		   const char *words)
{
	struct monitor_report message = { .kind = kind, .number = number };
	struct text text = { message.text, sizeof message.text, 0 };

	text_add(&text, words);
	send(m->sync_fd, &message, sizeof message, MSG_NOSIGNAL);
}

static void run_runtime_until(struct monitor *m, long long deadline)
{
	while (m->runtime_pid > 0 && process_clock() < deadline)
		events_step(m, deadline);
	if (m->runtime_pid > 0)
		kill(-m->runtime_pid, SIGKILL);
	while (m->runtime_pid > 0)
		events_step(m, process_clock() + GRACE_MS);
}

/* Nothing of the container stays: no process, no cgroup, no directory. */
static void undo(struct monitor *m)
{
	run_runtime_until(m, process_clock() + GRACE_MS);
	if (container_delete(m) == 0)
		run_runtime_until(m, process_clock() + DELETE_MS);
	process_kill_children();
	container_forget(m);
}

static int start_events(struct monitor *m)
{
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	m->signal_fd = process_setup();
	if (m->epoll_fd < 0 || m->signal_fd < 0 || events_watch(m, m->signal_fd, EVENT_CHILD) < 0)
		return -1;
	return events_watch(m, m->sync_fd, EVENT_SYNC);
}

/* Run `create` to its end. False when there is no container that could be kept. */
static bool create(struct monitor *m)
{
	const char *what = "exit record";

	if (container_prepare_exit(m) < 0 || container_create(m, &what) < 0) {
		int failure = errno;

		undo(m);
		report(m, MONITOR_BROKEN, failure, what);
		return false;
	}
	while (m->runtime_pid > 0 && !m->abandoned)
		events_step(m, -1);
	if (m->abandoned) {
		undo(m);
		return false;
	}
	events_drain(m); /* the runtime's last words */
	if (m->runtime_status != 0) {
		int status = m->runtime_status;
		struct stream *said = &m->streams[1];

		undo(m);
		stream_keep_end(said, MONITOR_TEXT_SIZE - 1);
		said->buffer[said->used] = '\0';
		report(m, MONITOR_RUNTIME_FAILED, status, said->buffer);
		return false;
	}
	return true;
}

/* From here on output is the container's: the pipes, or the terminal that takes their place. */
static bool adopt(struct monitor *m, const char **what)
{
	pid_t init = container_init(m);

	*what = "the runtime did not say which process it made";
	if (init == 0)
		return false;
	m->init = init;
	oom_watch(m);
	*what = "no control socket could be made";
	if (control_listen(m) < 0)
		return false;
	*what = "the runtime sent no terminal";
	if (!m->terminal)
		return true;
	if (m->console_fd < 0 && console_receive(m) < 0)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (m->streams[i].fd >= 0)
			close(m->streams[i].fd);
	close(m->console_listen_fd);
	unlinkat(m->dir_fd, "console", 0);
	m->streams[1].fd = -1;
	m->streams[0].fd = m->console_fd;
	if (m->has_input)
		m->input_fd = m->console_fd;
	return events_watch(m, m->console_fd, EVENT_STDOUT) == 0;
}

/* The monitor is the last that should be killed when memory is short. Not before `create`, since
 * the container would inherit it; without the privilege it stays as it was. */
static void resist_oom(struct monitor *m)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, m->oom_before, sizeof m->oom_before - 1) <= 0 || pwrite(fd, "-999", 4, 0) < 0)
		m->oom_before[0] = '\0';
	close(fd);
}

/* What we become, and what that starts, is killed like others. */
static void resist_no_more(const struct monitor *m)
{
	size_t length = strlen(m->oom_before);
	int fd = length ? open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	(void)!write(fd, m->oom_before, length);
	close(fd);
}

/* Make the container, report, and hear whether it stays. False where it does not. */
static bool settle(struct monitor *m)
{
	const char *what;

	if (!create(m))
		return false;
	if (m->starts && !m->started[0])
		stamp_now(m->started);
	if (!adopt(m, &what)) {
		undo(m);
		report(m, MONITOR_BROKEN, 0, what);
		return false;
	}
	events_release(m);
	stream_trim(&m->streams[0]);
	stream_trim(&m->streams[1]);
	resist_oom(m);
	process_leave_session();
	report(m, MONITOR_CREATED, m->init, m->started);
	while (!m->committed && !m->abandoned)
		events_step(m, -1);
	if (m->abandoned)
		undo(m);
	return !m->abandoned;
}

int main(int argc, char **argv)
{
	/* by themselves and on whole pages, so that an idle monitor can do without them */
	static _Alignas(4096) struct {
		char out[LOG_BUFFER], err[LOG_BUFFER];
		char records[LOG_OUT];
	} buffers;
	struct monitor monitor = { .streams = { { .buffer = buffers.out },
						{ .buffer = buffers.err } },
				   .log.out = buffers.records };
	struct monitor *m = &monitor;

	if (!parse(m, argc, argv))
		return 2;
	process_detach();
	write_own_pid(m);
	if (start_events(m) < 0) {
		report(m, MONITOR_BROKEN, errno, "event queue");
		return 1;
	}
	if (!settle(m))
		return 1;
	close(m->sync_fd);
	close(m->busy_fd);
	if (!m->shares_pids)
		close(m->runtime_log_fd); /* no more commands */
	if (!m->shares_pids && m->exit_words == 0)
		confine(m);
	process_trim_stack();
	events_reap(m); /* init may have died before */
	while (!m->exited)
		events_step(m, -1);
	events_drain(m);
	/* the end of a PID namespace's first process is that of all; elsewhere others go on */
	if (m->shares_pids && container_kill_all(m) == 0)
		run_runtime_until(m, process_clock() + GRACE_MS);
	stream_end(&m->log, &m->streams[0]);
	stream_end(&m->log, &m->streams[1]);
	oom_check(m);
	int status = container_record_exit(m);
	if (m->exit_words > 0) {
		resist_no_more(m);
		container_run_exit_command(m);
	}
	return status < 0;
}

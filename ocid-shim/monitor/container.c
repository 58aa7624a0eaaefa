/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	WORDS_MAX = 64,
	PATH_SIZE = 4096,
	EXIT_SIZE = 256,
	PIPE_SIZE = 1 << 18, /* bytes */
	ORPHAN_MS = 1000     /* until a process is ours whose parent is about to end */
};

/* argv of a runtime command: its path and global options, then `rest`. */
static int make_argv(const struct monitor *monitor, char *argv[static WORDS_MAX],
		     char *const rest[])
{
	size_t n = 0;

	for (size_t i = 0; monitor->runtime[i] && n < WORDS_MAX - 1; i++)
		argv[n++] = monitor->runtime[i];
	for (size_t i = 0; rest[i] && n < WORDS_MAX - 1; i++)
		argv[n++] = rest[i];
	argv[n] = NULL;
	if (n < WORDS_MAX - 1)
		return 0;
	errno = E2BIG;
	return -1;
}

/* A pipe, one end of which (0: to read from) becomes *ours; returns the other. */
static int open_pipe(int *ours, int which)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*ours = fds[which];
	fcntl(*ours, F_SETFL, O_NONBLOCK);
	/* so that the container writes while the monitor does; where it may not be larger it works
	 * as well */
	fcntl(*ours, F_SETPIPE_SZ, PIPE_SIZE);
	return fds[!which];
}

static int run_create(struct monitor *monitor, const struct standard *standard)
{
	char pid_file[PATH_SIZE], console[64], *argv[WORDS_MAX], *rest[20];
	struct text path = { pid_file, sizeof pid_file, 0 };
	struct text socket = { console, sizeof console, 0 };
	size_t n = 0;

	text_add(&path, monitor->dir_path);
	text_add(&path, "/pid");
	if (monitor->restore[0]) {
		rest[n++] = (char *)"restore";
		rest[n++] = (char *)"--detach";
		rest[n++] = (char *)"--image-path";
		rest[n++] = (char *)monitor->restore;
		/* where CRIU writes what it says: a checkpoint may be read-only */
		rest[n++] = (char *)"--work-path";
		rest[n++] = (char *)monitor->bundle;
	} else if (monitor->starts) {
		rest[n++] = (char *)"run";
		rest[n++] = (char *)"--detach";
	} else {
		rest[n++] = (char *)"create";
	}
	rest[n++] = (char *)"--bundle";
	rest[n++] = (char *)monitor->bundle;
	rest[n++] = (char *)"--pid-file";
	rest[n++] = pid_file;
	if (monitor->no_pivot)
		rest[n++] = (char *)"--no-pivot";
	if (monitor->terminal) {
		/* through /proc, since the directory's own name may be too long for a socket */
		text_add(&socket, "/proc/");
		text_add_number(&socket, getpid());
		text_add(&socket, "/fd/");
		text_add_number(&socket, monitor->dir_fd);
		text_add(&socket, "/console");
		rest[n++] = (char *)"--console-socket";
		rest[n++] = console;
	}
	rest[n++] = (char *)monitor->id;
	rest[n] = NULL;
	if (make_argv(monitor, argv, rest) < 0)
		return -1;
	monitor->runtime_pid = process_start(argv, standard, monitor->runtime_log_fd);
	return monitor->runtime_pid < 0 ? -1 : 0;
}

int container_create(struct monitor *monitor, const char **what)
{
	*what = "console socket";
	if (monitor->terminal && console_listen(monitor) < 0)
		return -1;
	*what = "pipe";
	struct standard standard = { .in = -1,
				     .out = open_pipe(&monitor->streams[0].fd, 0),
				     .err = open_pipe(&monitor->streams[1].fd, 0) };
	if (standard.out < 0 || standard.err < 0)
		return -1;
	if (monitor->has_input && !monitor->terminal) {
		standard.in = open_pipe(&monitor->input_fd, 1);
		if (standard.in < 0)
			return -1;
	}
	if (events_watch(monitor, monitor->streams[0].fd, EVENT_STDOUT) < 0 ||
	    events_watch(monitor, monitor->streams[1].fd, EVENT_STDERR) < 0)
		return -1;
	*what = "start of the runtime";
	if (run_create(monitor, &standard) < 0)
		return -1;
	close(standard.out);
	close(standard.err);
	if (standard.in >= 0)
		close(standard.in);
	return 0;
}

/* The process id that the runtime wrote; 0 where that makes no sense. */
static pid_t read_pid(const struct monitor *monitor)
{
	char digits[16];
	int fd = openat(monitor->dir_fd, "pid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, digits, sizeof digits);
	long pid = 0;

	if (fd >= 0)
		close(fd);
	if (length > 0 && digits[length - 1] == '\n')
		length--;
	if (length <= 0 || length > 10)
		return 0;
	for (ssize_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return 0;
		pid = pid * 10 + (digits[i] - '0');
	}
	return pid < 2 || pid > 0x7fffffff ? 0 : (pid_t)pid;
}

pid_t container_init(const struct monitor *monitor)
{
	const struct timespec pause = { 0, 1000000 };
	long long deadline = process_clock() + ORPHAN_MS;
	siginfo_t info;

	for (;;) {
		pid_t pid = read_pid(monitor);

		/* only a child's exit can be waited for; this fails for any other process */
		if (pid && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
			return pid;
		/* crun ends before the process of its own that made the container's, whose parent
		 * we become only then */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    process_clock() > deadline)
			return 0;
		nanosleep(&pause, NULL);
	}
}

/* Run a command whose success shows elsewhere. */
static int run_quietly(struct monitor *monitor, char *const words[])
{
	char *argv[WORDS_MAX];
	/* ocid-shim reads in the runtime's log why `create` failed: nothing may be added to that */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, monitor->runtime_log_fd) < 0)
		return -1;
	close(null);
	if (make_argv(monitor, argv, words) < 0)
		return -1;
	monitor->runtime_pid =
		process_start(argv, &(struct standard){ -1, -1, -1 }, monitor->runtime_log_fd);
	return monitor->runtime_pid < 0 ? -1 : 0;
}

int container_delete(struct monitor *monitor)
{
	return run_quietly(monitor, (char *const[]){ (char *)"delete", (char *)"--force",
						     (char *)monitor->id, NULL });
}

int container_kill_all(struct monitor *monitor)
{
	return run_quietly(monitor, (char *const[]){ (char *)"kill", (char *)"--all",
						     (char *)monitor->id, (char *)"KILL", NULL });
}

static int exit_code(const struct monitor *monitor)
{
	int status = monitor->exit_status;

	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void format_exit(const struct monitor *monitor, struct text *text)
{
	int status = monitor->exit_status;
	bool signaled = WIFSIGNALED(status);
	char stamp[STAMP_SIZE];

	stamp_now(stamp);
	text_add(text, "{\"code\":");
	text_add_number(text, exit_code(monitor));
	text_add(text, ",\"finished\":\"");
	text_add(text, stamp);
	text_add(text, "\"");
	unsigned long long lost = monitor->log.lost_total + monitor->log.journal.lost_total;
	if (lost) {
		text_add(text, ",\"logRecordsLost\":");
		text_add_number(text, (long long)lost);
	}
	if (monitor->oom_killed)
		text_add(text, ",\"oomKilled\":true");
	if (signaled) {
		text_add(text, ",\"signal\":");
		text_add_number(text, WTERMSIG(status));
	}
	text_add(text, "}\n");
}

int container_prepare_exit(const struct monitor *monitor)
{
	int fd = openat(monitor->dir_fd, ".exit", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int status = fd < 0 ? -1 : ftruncate(fd, EXIT_SIZE);

	/* not every file system can reserve; those that cannot do without */
	if (status == 0 && fallocate(fd, 0, 0, EXIT_SIZE) < 0 && errno == ENOSPC)
		status = -1;
	if (fd >= 0)
		close(fd);
	return status;
}

int container_record_exit(const struct monitor *monitor)
{
	char buffer[EXIT_SIZE];
	struct text text = { buffer, sizeof buffer, 0 };
	int fd = openat(monitor->dir_fd, ".exit", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	format_exit(monitor, &text);
	if (fd < 0)
		return -1;
	bool whole = write(fd, buffer, text.length) == (ssize_t)text.length &&
		     ftruncate(fd, (off_t)text.length) == 0;
	close(fd);
	return whole ? renameat(monitor->dir_fd, ".exit", monitor->dir_fd, "exit") : -1;
}

void container_run_exit_command(const struct monitor *monitor)
{
	char *argv[WORDS_MAX], digits[16];
	struct text code = { digits, sizeof digits, 0 };
	int count = monitor->exit_words < WORDS_MAX - 1 ? monitor->exit_words : WORDS_MAX - 1;

	for (int i = 0; i < count; i++)
		argv[i] = monitor->exit_command[i];
	argv[count] = NULL;
	text_add_number(&code, exit_code(monitor));
	if (setenv("OCID_CONTAINER", monitor->id, 1) == 0 &&
	    setenv("OCID_EXIT_CODE", digits, 1) == 0)
		process_become(argv);
}

void container_record_oom(const struct monitor *monitor)
{
	char stamp[STAMP_SIZE];
	int fd = openat(monitor->dir_fd, ".oom", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	stamp_now(stamp);
	if (fd < 0)
		return;
	if (write(fd, stamp, sizeof stamp - 1) == sizeof stamp - 1)
		renameat(monitor->dir_fd, ".oom", monitor->dir_fd, "oom");
	close(fd);
}

void container_forget(const struct monitor *monitor)
{
	int fd = openat(monitor->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	/* all that is in it are files: ours, and temporary ones of a writer that was killed */
	while (dir && (entry = readdir(dir)))
		unlinkat(monitor->dir_fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(monitor->dir_path);
}

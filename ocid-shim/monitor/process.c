/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/monitor.h"
#include "ocid-shim/monitor/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXEC_FAILED = 127,
	KILL_MS = 5000,
	PAGE = 4096,	    /* bytes; a multiple of it serves larger pages as well as it can */
	STACK_DEPTH = 65536 /* bytes; more than the deepest call chain needs */
};

void process_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	if (chdir("/") < 0)
		_exit(1);
}

/* Join the process group of a child, for which it need not live. */
static void join_child(void)
{
	siginfo_t info;
	pid_t child = fork();

	if (child < 0)
		return;
	if (child == 0) {
		setpgid(0, 0);
		_exit(0);
	}
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	setpgid(0, child);
	waitpid(child, NULL, 0);
}

void process_leave_session(void)
{
	pid_t group = getpgid(getppid());

	/* The leader of a process group can make no session, so another is joined before:
	 * ocid-shim's or, where that is gone or was made outside of this PID namespace, a child's.
	 */
	if (group <= 0 || setpgid(0, group) < 0)
		join_child();
	setsid();
}

int process_setup(void)
{
	sigset_t all, child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* In the child: a fresh process as far as signals go. By the system call: musl keeps three signals
 * to itself, and make ignores two of them for its children. */
static void reset_signals(void)
{
	static const unsigned long by_default[8]; /* the kernel's struct sigaction */
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, (NSIG - 1) / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void say_exec_failed(const char *program)
{
	char buffer[512];
	struct text text = { buffer, sizeof buffer, 0 };

	text_add(&text, "cannot run ");
	text_add(&text, program);
	text_add(&text, ": ");
	text_add(&text, strerror(errno));
	text_add(&text, "\n");
	if (write(STDERR_FILENO, buffer, text.length) < 0)
		return;
}

pid_t process_start(char *const argv[], const struct standard *standard, int keep_fd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	/* a runtime must not go on when nobody is left to watch over what it makes */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
	setpgid(0, 0);
	reset_signals();
	/* 0, 1 and 2 are /dev/null already */
	if (standard->in >= 0)
		dup2(standard->in, STDIN_FILENO);
	if (standard->out >= 0)
		dup2(standard->out, STDOUT_FILENO);
	if (standard->err >= 0)
		dup2(standard->err, STDERR_FILENO);
	if (keep_fd >= 0)
		fcntl(keep_fd, F_SETFD, 0);
	execve(argv[0], argv, environ);
	say_exec_failed(argv[0]);
	_exit(EXEC_FAILED);
}

void process_become(char *const argv[])
{
	reset_signals();
	execve(argv[0], argv, environ);
}

void process_trim_stack(void)
{
	char *frame = __builtin_frame_address(0);
	/* whole pages, and none that holds a frame in use */
	char *end = frame - ((uintptr_t)frame & (PAGE - 1)) - PAGE;

	madvise(end - STACK_DEPTH, STACK_DEPTH, MADV_DONTNEED);
}

long long process_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* SIGKILL to each process that is listed as our child now. */
static void kill_listed(int fd)
{
	char list[4096];
	ssize_t length = pread(fd, list, sizeof list, 0);
	pid_t pid = 0;

	for (ssize_t i = 0; i < length; i++) {
		if (list[i] >= '0' && list[i] <= '9') {
			pid = pid * 10 + (list[i] - '0');
			continue;
		}
		if (pid > 1)
			kill(pid, SIGKILL);
		pid = 0;
	}
}

void process_kill_children(void)
{
	const struct timespec pause = { 0, 2000000 };
	long long deadline = process_clock() + KILL_MS;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	/* those whose parent we killed become ours in turn, until there are none */
	while (process_clock() < deadline) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			break;
		if (pid > 0)
			continue;
		kill_listed(fd);
		nanosleep(&pause, NULL);
	}
	if (fd >= 0)
		close(fd);
}

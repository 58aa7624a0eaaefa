/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocid-pause PIN FILE [NAMESPACE...]: the first process of a pod's PID namespace, for as long as
 * the pod is there. The namespace is pinned at PIN, the process id and start time are written to
 * FILE, and the namespaces of the pod, by their paths, are joined: that of users first.
 *
 * What is left does nothing: children that are given to it are reaped by the kernel, since SIGCHLD
 * is ignored. As containers of the pod see it, it owns nothing that they could use: its program is
 * a sealed copy in memory, its root is an empty read-only file system, it has no descriptors but a
 * pipe of its own, and no system calls but read, write and exit.
 *
 * Phases: copy the program and run the copy; fork the one that joins, which forks the one that
 * stays; pin and record that one; let it go on; leave. Until it is let go on it ends with us.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIN = 1, FILE_PATH, NAMESPACES }; /* in argv */
enum { NOBODY = 65535, STAT_MAX = 4096, FIELD_START = 22, SEALS = F_SEAL_WRITE | F_SEAL_SHRINK };

/* linux/seccomp.h, which musl has not */
enum { SECCOMP_MODE_STRICT = 1 };

static void fail(const char *what) __attribute__((noreturn));

static void fail(const char *what)
{
	fprintf(stderr, "ocid-pause: %s: %s\n", what, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* ---- the program, where containers cannot write to it ---- */

static void run_sealed_copy(char **argv)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("ocid-pause", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	ssize_t sent = 1;

	if (self < 0 || copy < 0 || fstat(self, &st) < 0)
		fail("/proc/self/exe");
	if (fcntl(self, F_GET_SEALS) > 0)
		return; /* this is the copy */
	while (sent > 0)
		sent = sendfile(copy, self, NULL, (size_t)st.st_size);
	if (sent < 0 || fcntl(copy, F_ADD_SEALS, SEALS | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		fail("a copy of the program in memory");
	fexecve(copy, argv, environ);
	fail("running the copy in memory");
}

/* ---- the process that stays ---- */

static void enter_empty_root(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  "size=0,nr_inodes=1,mode=555") < 0 ||
	    chdir("/proc") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		fail("an empty root");
}

static void drop_privileges(void)
{
	syscall(SYS_setgroups, 0, NULL); /* a user namespace may forbid it */
	/* ids that the pod's user namespace may not have */
	if (syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 &&
	    syscall(SYS_setresgid, 0, 0, 0) < 0)
		fail("setresgid");
	if (syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0 &&
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		fail("setresuid");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		fail("dropping privileges");
}

/* Our arguments are paths of the host, which the containers have no business to read. */
static void hide_arguments(char **argv)
{
	for (argv++; *argv; argv++)
		memset(*argv, '\0', strlen(*argv));
	prctl(PR_SET_NAME, "ocid-pause");
}

static void stay(char **argv, int go_fd) __attribute__((noreturn));

static void stay(char **argv, int go_fd)
{
	char byte;
	int own[2];

	setsid();
	hide_arguments(argv);
	signal(SIGCHLD, SIG_IGN);
	enter_empty_root();
	drop_privileges();
	if (read(go_fd, &byte, 1) != 1)
		_exit(EXIT_FAILURE); /* who started us is gone */
	syscall(SYS_close_range, 0U, ~0U, 0U);
	if (pipe(own) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) < 0)
		_exit(EXIT_FAILURE);
	for (;;)
		read(own[0], &byte, 1);
}

/* ---- the process that joins the namespaces ---- */

static void join(char **argv, int pid_fd, int go_fd) __attribute__((noreturn));

static void join(char **argv, int pid_fd, int go_fd)
{
	for (char **path = &argv[NAMESPACES]; *path; path++) {
		int fd = open(*path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, 0) < 0)
			fail(*path);
		close(fd);
	}
	if (unshare(CLONE_NEWPID) < 0)
		fail("a new PID namespace");
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		stay(argv, go_fd);
	if (write(pid_fd, &pid, sizeof pid) != sizeof pid)
		fail("telling the process id");
	_exit(EXIT_SUCCESS);
}

/* ---- the process that was started ---- */

/* When a process was started, in clock ticks since boot: with its id, that names it for ever. */
static unsigned long long start_time(pid_t pid)
{
	char path[64], text[STAT_MAX];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (length < 0)
		fail(path);
	close(fd);
	text[length] = '\0';

	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < FIELD_START; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	unsigned long long ticks = at ? strtoull(at, NULL, 10) : 0;
	if (ticks == 0)
		fail(path);
	return ticks;
}

static void pin(pid_t pid, const char *path)
{
	char source[64];
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444);

	snprintf(source, sizeof source, "/proc/%d/ns/pid", (int)pid);
	if (fd < 0 || mount(source, path, NULL, MS_BIND, NULL) < 0)
		fail(path);
	close(fd);
}

static void record(pid_t pid, const char *path)
{
	char text[64];
	int length = snprintf(text, sizeof text, "%d %llu\n", (int)pid, start_time(pid));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || write(fd, text, (size_t)length) != length || close(fd) < 0)
		fail(path);
}

/* The id of the process that stays, as the one that joined tells it. */
static pid_t await(pid_t joiner, int pid_fd)
{
	pid_t pid = 0;
	ssize_t length = read(pid_fd, &pid, sizeof pid);

	while (waitpid(joiner, NULL, 0) < 0 && errno == EINTR)
		;
	if (length != sizeof pid)
		_exit(EXIT_FAILURE); /* it has said why */
	return pid;
}

int main(int argc, char **argv)
{
	int pid_pipe[2], go_pipe[2];

	if (argc < NAMESPACES) {
		fputs("usage: ocid-pause PIN FILE [NAMESPACE...]\n", stderr);
		return 2;
	}
	run_sealed_copy(argv);
	if (pipe2(pid_pipe, O_CLOEXEC) < 0 || pipe2(go_pipe, O_CLOEXEC) < 0)
		fail("pipe");
	pid_t joiner = fork();
	if (joiner < 0)
		fail("fork");
	if (joiner == 0) {
		close(go_pipe[1]); /* so that our end is seen */
		join(argv, pid_pipe[1], go_pipe[0]);
	}
	close(pid_pipe[1]);
	pid_t pid = await(joiner, pid_pipe[0]);
	pin(pid, argv[PIN]);
	record(pid, argv[FILE_PATH]);
	if (write(go_pipe[1], "", 1) != 1)
		fail("the process that was to stay");
	return EXIT_SUCCESS;
}

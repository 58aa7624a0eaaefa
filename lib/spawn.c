/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spawn.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUTPUT_MAX_DEFAULT = 1 << 20,
	EXEC_FAILED = 127,
	CHILD_STACK = 64 << 10, /* for what execvpe() needs beside the arguments */
};

/* What the child's three standard descriptors become. */
struct standard {
	int fd[3]; /* -1: /dev/null */
};

/* A stream between us and the child while spawn_run() polls. */
struct stream {
	int fd; /* our end, -1 when closed */
	char *data;
	size_t length, size, max;
};

/* A child until it has become the program. It runs in our memory meanwhile, and we wait. */
struct child {
	const struct spawn *spawn;
	const struct standard *standard;
	pid_t parent;
	int failure; /* an errno when it could not become the program */
};

/* ---- in the child: only async-signal-safe calls, and nothing of ours may change but `failure` */

/* Nothing above 2 that is not listed outlives exec. */
static int keep_only(const int *pass_fds)
{
	if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) < 0)
		return -1;
	for (; pass_fds && *pass_fds >= 0; pass_fds++)
		if (fcntl(*pass_fds, F_SETFD, 0) < 0)
			return -1;
	return 0;
}

static int set_standard(const struct standard *standard)
{
	int fds[3];

	/* first above 2, so that no dup2() closes one that is still needed */
	for (int i = 0; i < 3; i++) {
		int fd = standard->fd[i];

		if (fd < 0)
			fd = open("/dev/null", i ? O_WRONLY | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
		fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			return -1;
	return 0;
}

/* False when the parent is gone already, before it could be said that this matters. */
static bool die_with(int death_signal, pid_t parent)
{
	return death_signal == 0 ||
	       (prctl(PR_SET_PDEATHSIG, death_signal) == 0 && getppid() == parent);
}

/* Returns only when it failed. A path is run as it is: execvpe() would have a shell read a program
 * that is for another machine. */
static void become(const struct spawn *spawn)
{
	char *const *argv = (char *const *)spawn->argv;
	char *const *environment = spawn->environment ? (char *const *)spawn->environment : environ;

	if (strchr(argv[0], '/'))
		execve(argv[0], argv, environment);
	else
		execvpe(argv[0], argv, environment);
}

static int run_child(void *argument)
{
	struct child *child = argument;
	const struct spawn *spawn = child->spawn;
	sigset_t none;

	sigemptyset(&none);
	if (spawn->new_session)
		setsid();
	else
		setpgid(0, 0);
	if (!die_with(spawn->death_signal, child->parent))
		return EXEC_FAILED;
	/* ours, which must not run here, before signals come through */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((!spawn->directory || chdir(spawn->directory) == 0) &&
	    set_standard(child->standard) == 0 && keep_only(spawn->pass_fds) == 0)
		become(spawn);
	child->failure = errno;
	return EXEC_FAILED;
}

/* ---- in the parent ---- */

static void reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* For who wants to see it, or to run it by hand; arguments hold no secrets. */
static void say_what(const struct spawn *spawn)
{
	char words[1024] = "";
	size_t used = 0;

	for (const char *const *word = spawn->argv; *word && used < sizeof words; word++)
		used += (size_t)snprintf(words + used, sizeof words - used, " %s", *word);
	log_message(LOG_LEVEL_DEBUG, "running%s%s", words, used < sizeof words ? "" : "...");
}

/* Returns once the child is the program, or has failed. A fork would copy our page tables only for
 * exec to drop the copy. */
static pid_t run_beside(struct child *child)
{
	size_t words = 0;

	/* which a script's interpreter gets once more */
	while (child->spawn->argv[words])
		words++;
	size_t size = CHILD_STACK + (words + 2) * sizeof(char *);
	cleanup_free char *stack = xreallocarray(NULL, size, 1);
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = clone(run_child, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, child);
	int failure = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = failure;
	return pid;
}

static pid_t start(const struct spawn *spawn, const struct standard *standard, struct error *err)
{
	struct child child = { spawn, standard, getpid(), 0 };

	say_what(spawn);
	pid_t pid = run_beside(&child);
	if (pid < 0)
		return error_os(err, "cannot run %s", spawn->argv[0]);
	if (child.failure) {
		reap(pid, NULL);
		errno = child.failure;
		return error_os(err, "cannot run %s", spawn->argv[0]);
	}
	return pid;
}

pid_t spawn_start(const struct spawn *spawn, struct error *err)
{
	struct standard standard = { {
		spawn->stdin_fd > 0 ? spawn->stdin_fd : -1,
		spawn->stdout_fd > 0 ? spawn->stdout_fd : STDOUT_FILENO,
		spawn->stderr_fd > 0 ? spawn->stderr_fd : STDERR_FILENO,
	} };

	return start(spawn, &standard, err);
}

static void close_stream(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

/* Read what is there. -1 when it is more than the limit. */
static int drain(struct stream *stream)
{
	if (stream->size - stream->length < 2) {
		stream->size = stream->size ? stream->size * 2 : 4096;
		stream->data = xreallocarray(stream->data, stream->size, 1);
	}
	ssize_t got =
		read(stream->fd, stream->data + stream->length, stream->size - stream->length - 1);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : (close_stream(stream), 0);
	if (got == 0)
		close_stream(stream);
	stream->length += (size_t)got;
	stream->data[stream->length] = '\0';
	return stream->length > stream->max ? -1 : 0;
}

static void feed(struct stream *input)
{
	ssize_t put = write(input->fd, input->data + input->length, input->size - input->length);

	if (put > 0)
		input->length += (size_t)put;
	/* a program that does not read its input is no error by itself */
	if (input->length == input->size || (put < 0 && errno != EAGAIN && errno != EINTR))
		close_stream(input);
}

/* 0 is never. */
static long long earlier(long long a, long long b)
{
	return !a || (b && b < a) ? b : a;
}

/* Move bytes until the program has exited, which leaves it to be reaped, and said everything. A
 * descendant that keeps the pipes open after the program's end is not waited for. An interruption
 * that the program may outlast is put into *interrupted. */
static int converse(const struct spawn *spawn, int pid_fd, struct stream streams[3],
		    int *interrupted, struct error *err)
{
	long long end = spawn->timeout_ms ? clock_ms() + spawn->timeout_ms : 0;
	bool exited = false;

	for (;;) {
		struct pollfd polls[4] = {
			{ streams[0].fd, POLLOUT, 0 },
			{ streams[1].fd, POLLIN, 0 },
			{ streams[2].fd, POLLIN, 0 },
			{ exited ? -1 : pid_fd, POLLIN, 0 },
		};
		long long left = end ? end - clock_ms() : -1;

		if (end && left <= 0 && !exited && *interrupted)
			return cli_fail_interrupted(err);
		if (end && left <= 0 && !exited)
			return error_set(err, ERROR_TEMPORARY, "%s took longer than %d ms",
					 spawn->argv[0], spawn->timeout_ms);
		int ready = cli_poll(polls, 4, exited ? 0 : (int)(left > INT_MAX ? INT_MAX : left));
		if (ready < 0 && errno != EINTR)
			return error_os(err, "poll");
		if (cli_interrupted() && (*interrupted || !spawn->grace_ms))
			return cli_fail_interrupted(err);
		if (cli_interrupted()) {
			*interrupted = cli_interrupt_take();
			end = earlier(end, clock_ms() + spawn->grace_ms);
		}
		if (ready < 0)
			continue;
		if (polls[0].revents)
			feed(&streams[0]);
		for (int i = 1; i < 3; i++)
			if (polls[i].revents && drain(&streams[i]) < 0)
				return error_set(err, ERROR_LIMIT, "%s printed more than %zu bytes",
						 spawn->argv[0], streams[i].max);
		if (polls[3].revents)
			exited = true;
		else if (exited && (ready == 0 || (streams[1].fd < 0 && streams[2].fd < 0)))
			return 0;
	}
}

/* A pipe whose end `ours` (0 reads, 1 writes) belongs to the stream, non-blocking. */
static int open_stream(struct stream *stream, int ours, int *theirs, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	stream->fd = fds[ours];
	*theirs = fds[!ours];
	fcntl(stream->fd, F_SETFL, O_NONBLOCK);
	return 0;
}

static void close_streams(struct stream (*all)[3])
{
	struct stream *streams = *all;

	for (int i = 0; i < 3; i++)
		close_stream(&streams[i]);
	free(streams[1].data);
	free(streams[2].data);
}

static int open_streams(const struct spawn *spawn, struct stream streams[3], int theirs[3],
			struct error *err)
{
	size_t max = spawn->output_max ? spawn->output_max : OUTPUT_MAX_DEFAULT;

	streams[0].data = (char *)spawn->input;
	streams[0].size = spawn->input_length;
	streams[1].max = streams[2].max = max;
	if (spawn->input && spawn->stdin_fd <= 0 &&
	    open_stream(&streams[0], 1, &theirs[0], err) < 0)
		return -1;
	if (spawn->stdout_fd <= 0 && open_stream(&streams[1], 0, &theirs[1], err) < 0)
		return -1;
	if (spawn->stderr_fd <= 0 && open_stream(&streams[2], 0, &theirs[2], err) < 0)
		return -1;
	return 0;
}

/* Writing to a child that has closed its input must not end us. */
static void ignore_sigpipe(struct sigaction *old)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, old);
}

int spawn_run(const struct spawn *spawn, struct spawn_result *result, struct error *err)
{
	__attribute__((cleanup(close_streams))) struct stream streams[3] = { { .fd = -1 },
									     { .fd = -1 },
									     { .fd = -1 } };
	int theirs[3] = { -1, -1, -1 }, status = 0, interrupted = 0;
	struct sigaction old_sigpipe;

	if (open_streams(spawn, streams, theirs, err) < 0)
		return -1;

	struct standard standard = { {
		spawn->stdin_fd > 0 ? spawn->stdin_fd : theirs[0],
		spawn->stdout_fd > 0 ? spawn->stdout_fd : theirs[1],
		spawn->stderr_fd > 0 ? spawn->stderr_fd : theirs[2],
	} };
	pid_t pid = start(spawn, &standard, err);
	for (int i = 0; i < 3; i++)
		if (theirs[i] >= 0)
			close(theirs[i]);
	if (pid < 0)
		return -1;

	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	ignore_sigpipe(&old_sigpipe);
	int done = pid_fd < 0 ? error_os(err, "pidfd_open")
			      : converse(spawn, pid_fd, streams, &interrupted, err);
	cli_interrupt_put(interrupted);
	sigaction(SIGPIPE, &old_sigpipe, NULL);
	if (done < 0)
		kill(-pid, SIGKILL); /* not reaped yet, so the number is no other's */
	reap(pid, &status);
	if (done < 0)
		return -1;
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result->out_length = streams[1].length;
	result->err_length = streams[2].length;
	result->out = spawn->stdout_fd > 0 ? NULL
		      : streams[1].data	   ? steal_ptr(&streams[1].data)
					   : xstrdup("");
	result->err = spawn->stderr_fd > 0 ? NULL
		      : streams[2].data	   ? steal_ptr(&streams[2].data)
					   : xstrdup("");
	return 0;
}

void spawn_result_free(struct spawn_result *result)
{
	free(result->out);
	free(result->err);
	*result = (struct spawn_result){ 0 };
}

char *spawn_last_line(const char *text)
{
	size_t end = strlen(text);

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	size_t start_at = end;
	while (start_at > 0 && text[start_at - 1] != '\n')
		start_at--;
	return xstrndup(text + start_at, end - start_at);
}

static bool is_program(const char *path)
{
	struct stat st;

	return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *executable_in(const char *directory, const char *name)
{
	char *path = xasprintf("%s/%s", directory, name);

	if (is_program(path))
		return path;
	free(path);
	return NULL;
}

char *spawn_find_in(const char *directories, const char *name)
{
	cleanup_free char *copy = xstrdup(directories);
	char *found = NULL;

	for (char *rest = copy; rest && !found;) {
		const char *directory = strsep(&rest, ":");

		if (*directory && *name)
			found = executable_in(directory, name);
	}
	return found;
}

const char *spawn_path(void)
{
	const char *path = getenv("PATH");

	return path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

char *spawn_find(const char *name)
{
	if (strchr(name, '/'))
		return is_program(name) ? xstrdup(name) : NULL;
	return spawn_find_in(spawn_path(), name);
}

char *spawn_tool_path(const char *name)
{
	/* in the build directory; as installed below any prefix; as configured */
	static const char *const places[] = { "", "/../libexec/ocid" };
	const char *libexec = getenv("OCID_LIBEXEC");
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *path = libexec ? executable_in(libexec, name) : NULL;

	self[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(self, '/');
	for (size_t i = 0; !path && slash && i < sizeof places / sizeof *places; i++) {
		snprintf(slash, sizeof self - (size_t)(slash - self), "%s", places[i]);
		path = executable_in(self, name);
	}
	if (!path)
		path = executable_in(LIBEXECDIR, name);
	return path ? path : xstrdup(name);
}

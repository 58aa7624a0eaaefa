/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_command.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "ocid-dispatch/stream_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 5000 };

/* The command's ends; -1: none. */
struct theirs {
	int in, out, errors, sizes;
};

static void close_theirs(struct theirs *theirs)
{
	cleanup_fd_p(&theirs->in);
	cleanup_fd_p(&theirs->out);
	cleanup_fd_p(&theirs->errors);
	cleanup_fd_p(&theirs->sizes);
}

/* A pipe of which the worker gets the end `ours` (0 reads, 1 writes). */
static int add_pipe(int ours, int *theirs, int fds[static STREAM_FDS_MAX], size_t *count,
		    struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0)
		return error_os(err, "pipe");
	fds[(*count)++] = ends[ours];
	*theirs = ends[!ours];
	return 0;
}

static int add_pipes(const json_t *request, struct theirs *theirs, int fds[static STREAM_FDS_MAX],
		     size_t *count, struct error *err)
{
	bool tty = json_flag(request, "tty");

	if (json_flag(request, "stdin") && add_pipe(1, &theirs->in, fds, count, err) < 0)
		return -1;
	if (json_flag(request, "stdout") && add_pipe(0, &theirs->out, fds, count, err) < 0)
		return -1;
	if (json_flag(request, "stderr") && !tty &&
	    add_pipe(0, &theirs->errors, fds, count, err) < 0)
		return -1;
	return tty ? add_pipe(1, &theirs->sizes, fds, count, err) : 0;
}

void stream_command_words(enum stream_kind kind, const json_t *request, int sizes_fd,
			  struct strings *words)
{
	const json_t *command = json_object_get(request, "cmd");

	strings_add(words, "ocid-shim");
	strings_add(words, kind == STREAM_EXEC ? "exec" : "attach");
	if (kind == STREAM_EXEC && json_flag(request, "tty"))
		strings_add(words, "--tty");
	if (!json_flag(request, "stdin"))
		strings_add(words, "--no-stdin");
	/* a terminal that a container does not have has no size */
	if (sizes_fd >= 0 && (kind == STREAM_EXEC || json_flag(request, "terminal"))) {
		strings_add(words, "--resize-fd");
		strings_addf(words, "%d", sizes_fd);
	}
	strings_add(words, json_text(request, "containerId", ""));
	for (size_t i = 0; kind == STREAM_EXEC && i < json_array_size(command); i++)
		strings_add(words, json_string_value(json_array_get(command, i)));
}

static pid_t start(const struct strings *words, const struct theirs *theirs, struct error *err)
{
	cleanup_free char *path = spawn_tool_path(words->items[0]);
	cleanup_free const char **argv = xcalloc(words->count + 1, sizeof *argv);
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int pass[] = { theirs->sizes, -1 };
	int out = theirs->out >= 0 ? theirs->out : null;
	/* what goes wrong is seen also on a terminal, which has no stream for errors */
	int errors = theirs->errors >= 0 ? theirs->errors : theirs->sizes >= 0 ? out : null;

	if (null < 0)
		return error_os(err, "/dev/null");
	for (size_t i = 0; i < words->count; i++)
		argv[i] = words->items[i];
	argv[0] = path;

	const struct spawn spawn = {
		.argv = argv,
		.stdin_fd = theirs->in >= 0 ? theirs->in : 0,
		.stdout_fd = out,
		.stderr_fd = errors,
		.pass_fds = pass,
		.death_signal = SIGTERM,
	};
	return spawn_start(&spawn, err);
}

int stream_command_start(struct stream_command *command, const struct stream_settings *settings,
			 enum stream_kind kind, const json_t *request,
			 int fds[static STREAM_FDS_MAX], size_t *count, struct error *err)
{
	__attribute__((cleanup(close_theirs))) struct theirs theirs = { -1, -1, -1, -1 };
	cleanup_strings struct strings words = { 0 };

	setenv("OCID_ROOT", settings->root, 1);
	setenv("OCID_RUNROOT", settings->runroot, 1);
	if (add_pipes(request, &theirs, fds, count, err) < 0)
		return -1;
	stream_command_words(kind, request, theirs.sizes, &words);
	pid_t pid = start(&words, &theirs, err);
	if (pid < 0)
		return -1;
	command->pid = pid;
	command->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return command->pid_fd < 0 ? error_os(err, "pidfd_open") : 0;
}

int stream_command_reap(struct stream_command *command)
{
	int status = 0;

	while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR)
		;
	command->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void stream_command_end(struct stream_command *command)
{
	struct pollfd ended = { command->pid_fd, POLLIN, 0 };

	if (command->pid == 0)
		return;
	kill(-command->pid, SIGTERM);
	if (poll(&ended, 1, END_MS) <= 0)
		kill(-command->pid, SIGKILL);
	stream_command_reap(command);
}

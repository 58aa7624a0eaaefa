/* SPDX-License-Identifier: Apache-2.0 */
/* ExecSync: a command in a container, its output and its exit code. */
#include "ocid-dispatch/handlers.h"

#include "lib/base64.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/spawn.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = GRPC_MESSAGE_MAX - 4096, /* bytes of both streams; what is more is dropped */
	READ_SIZE = 64 << 10,
	TIMEOUT_MAX = INT_MAX / 1000,
	STATUS_TIMEOUT = 124,
	STATUS_NOT_RUN = 125, /* of ocid-shim exec; 126 and 127 are the command's fault */
};

/* The command while it runs. */
struct execution {
	pid_t pid;
	int fds[2]; /* its stdout and stderr; -1 once they have ended */
	struct buffer output[2];
	int status;
};

static void execution_close(struct execution *execution)
{
	for (int i = 0; i < 2; i++) {
		cleanup_fd_p(&execution->fds[i]);
		buffer_free(&execution->output[i]);
	}
}
#define cleanup_execution __attribute__((cleanup(execution_close)))

/* ---- running ---- */

static void put_command(struct strings *words, const char *id, const json_t *request,
			json_int_t timeout)
{
	const json_t *word;
	size_t i;

	strings_add(words, "exec");
	if (timeout > 0) {
		strings_add(words, "--timeout");
		strings_addf(words, "%lld", (long long)timeout);
	}
	strings_add(words, id);
	json_array_foreach (json_object_get(request, "cmd"), i, word) {
		strings_add(words, json_string_value(word));
	}
}

static int start(const struct rpc_context *context, const char *id, const json_t *request,
		 json_int_t timeout, struct execution *execution, struct error *err)
{
	cleanup_free char *path = spawn_tool_path("ocid-shim");
	cleanup_pipeline struct pipeline line = { 0 };
	struct strings *words = pipeline_add(&line, "ocid-shim", NULL);
	int out[2], errors[2];

	put_command(words, id, request, timeout);
	pipeline_environment(context);
	if (context->trace)
		trace_pipeline(&line);
	free(words->items[0]);
	words->items[0] = steal_ptr(&path);
	if (pipe2(out, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	execution->fds[0] = out[0];
	cleanup_fd int out_end = out[1];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	execution->fds[1] = errors[0];
	cleanup_fd int errors_end = errors[1];
	const struct spawn spawn = { .argv = (const char *const *)words->items,
				     .stdout_fd = out_end,
				     .stderr_fd = errors_end,
				     .death_signal = SIGTERM };

	execution->pid = spawn_start(&spawn, err);
	return execution->pid < 0 ? -1 : 0;
}

/* Read what is there. All of it is read, so that the command never waits; it is not all kept. */
static void take(struct execution *execution, int i)
{
	unsigned char data[READ_SIZE];
	ssize_t got = read(execution->fds[i], data, sizeof data);
	size_t kept = buffer_length(&execution->output[0]) + buffer_length(&execution->output[1]);
	size_t room = kept < OUTPUT_MAX ? OUTPUT_MAX - kept : 0;

	if (got > 0)
		buffer_append(&execution->output[i], data, (size_t)got < room ? (size_t)got : room);
	else if (got == 0 || errno != EINTR)
		close(steal_fd(&execution->fds[i]));
}

static void reap(struct execution *execution)
{
	int status = 0;

	while (waitpid(execution->pid, &status, 0) < 0 && errno == EINTR)
		;
	execution->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until it has ended and what it said is read: by one read of all that a pipe holds. What it has
 * left running with its streams is not waited for, whatever that still says. */
static int converse(struct execution *execution, struct error *err)
{
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, execution->pid, 0);
	bool ended = false;

	if (pid_fd < 0)
		return error_os(err, "pidfd_open");
	for (;;) {
		struct pollfd polls[3] = { { execution->fds[0], POLLIN, 0 },
					   { execution->fds[1], POLLIN, 0 },
					   { ended ? -1 : pid_fd, POLLIN, 0 } };
		int ready = cli_poll(polls, 3, ended ? 0 : -1);

		if (ready < 0 && errno != EINTR)
			return error_os(err, "poll");
		if (cli_interrupted())
			return error_set(err, ERROR_TEMPORARY, "interrupted");
		if (ready < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (polls[i].revents)
				take(execution, i);
		if (ended)
			return 0;
		ended = polls[2].revents;
	}
}

/* The same; where that fails the command is ended. */
static int follow(struct execution *execution, struct error *err)
{
	int status = converse(execution, err);

	if (status < 0)
		kill(-execution->pid, SIGTERM);
	reap(execution);
	return status;
}

/* ---- what came of it ---- */

/* The error of ocid-shim itself on its last line of stderr, which is taken off there; NULL when
 * the last line is the command's. The caller owns it. */
static json_t *take_tool_error(struct buffer *errors)
{
	const char *text = (const char *)buffer_data(errors);
	size_t length = buffer_length(errors), begin;
	struct error ignored;

	if (length < 2 || text[length - 1] != '\n')
		return NULL;
	begin = length - 1;
	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	json_auto_t *object = json_parse(text + begin, length - begin, "stderr", &ignored);
	if (strcmp(json_text(object, "tool", ""), "ocid-shim") != 0 ||
	    strcmp(json_text(object, "verb", ""), "exec") != 0)
		return NULL;
	errors->end -= length - begin;
	return json_incref(object);
}

static void put_output(json_t *response, const char *key, const struct buffer *output)
{
	cleanup_free char *text = base64_encode(buffer_data(output), buffer_length(output));

	json_object_set_new(response, key, json_string(text));
}

static int answer(struct execution *execution, json_int_t timeout, json_t **response,
		  struct error *err)
{
	json_auto_t *failure =
		execution->status == 0 ? NULL : take_tool_error(&execution->output[1]);
	const char *message = json_text(failure, "message", "");

	if (failure && execution->status == STATUS_TIMEOUT)
		return error_set(err, (enum error_kind)ERROR_TIMEOUT,
				 "the command has not ended after %lld seconds",
				 (long long)timeout);
	/* a command that is not there, or cannot be run, has failed as in a shell */
	if (failure && execution->status <= STATUS_NOT_RUN)
		return error_set(err, error_kind_from_name(json_text(failure, "code", "")), "%s",
				 message);
	if (failure) {
		buffer_append(&execution->output[1], message, strlen(message));
		buffer_append(&execution->output[1], "\n", 1);
	}
	*response = json_pack("{s:i}", "exitCode", execution->status);
	put_output(*response, "stdout", &execution->output[0]);
	put_output(*response, "stderr", &execution->output[1]);
	return 0;
}

int containers_exec_sync(const struct rpc_context *context, const json_t *request,
			 json_t **response, struct error *err)
{
	json_int_t timeout = strtoll(json_text(request, "timeout", "0"), NULL, 10);
	cleanup_execution struct execution execution = { .fds = { -1, -1 } };
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (json_array_size(json_object_get(request, "cmd")) == 0)
		return error_set(err, ERROR_USAGE, "the request has no command");
	if (timeout < 0 || timeout > TIMEOUT_MAX)
		return error_set(err, ERROR_USAGE, "the timeout is not between 0 and %d seconds",
				 TIMEOUT_MAX);
	if (records_open(context, &records, err) < 0 ||
	    container_find(&records, json_text(request, "containerId", ""), &named, err) < 0)
		return -1;
	if (container_state(&records, &named) != CONTAINER_RUNNING)
		return error_set(err, ERROR_IN_USE, "the container %s does not run", named.id);
	if (start(context, named.id, request, timeout, &execution, err) < 0 ||
	    follow(&execution, err) < 0)
		return -1;
	return answer(&execution, timeout, response, err);
}

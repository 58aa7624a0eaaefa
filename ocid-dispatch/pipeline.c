/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pipeline.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory_file.h"
#include "lib/spawn.h"
#include "ocid-dispatch/hints.h"
#include "ocid-dispatch/rpc.h"
#include "ocid-dispatch/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = 32 << 20, /* bytes of the last tool's stdout */
	ERRORS_MAX = 1 << 20,  /* bytes of a tool's stderr */
	READ_SIZE = 64 << 10,
	UNDO_MS = 4000, /* for tools that were asked to end; the server gives us 5000 */
};

/* A tool that runs. */
struct stage {
	pid_t pid; /* 0: not started, or reaped */
	int pid_fd, errors_fd;
	int status; /* exit status, or 128 + signal */
	struct buffer errors;
};

struct run {
	const struct pipeline *pipeline;
	struct stage stages[PIPELINE_MAX];
	int output_fd;
	struct buffer output;
	size_t kept_max; /* when > 0: what the only tool says beyond is dropped, and no error */
};

struct strings *pipeline_add(struct pipeline *pipeline, const char *tool, ...)
{
	struct strings *words = &pipeline->stages[pipeline->count++];
	va_list args;

	va_start(args, tool);
	for (const char *word = tool; word; word = va_arg(args, const char *))
		strings_add(words, word);
	va_end(args);
	return words;
}

void pipeline_free(struct pipeline *pipeline)
{
	for (size_t i = 0; i < PIPELINE_MAX; i++)
		strings_free(&pipeline->stages[i]);
}

/* ---- starting ---- */

/* The variables by which tools know where things are, and that errors are wanted as JSON. */
static void set_environment(const struct rpc_context *context)
{
	setenv("OCID_ROOT", context->root, 1);
	setenv("OCID_RUNROOT", context->runroot, 1);
	setenv("OCID_ERRORS", "json", 1);
}

static int open_pipe(int ends[2], struct error *err)
{
	return pipe2(ends, O_CLOEXEC) < 0 ? error_os(err, "pipe") : 0;
}

/* Start a tool that reads input_fd and writes output_fd (the *_fd are borrowed). */
static int start_tool(struct run *run, size_t index, int input_fd, int output_fd, struct error *err)
{
	const struct strings *words = &run->pipeline->stages[index];
	struct stage *stage = &run->stages[index];
	int pass[] = { index == 0 && run->pipeline->pass_fd > 0 ? run->pipeline->pass_fd : -1, -1 };
	cleanup_free char *path = spawn_tool_path(words->items[0]);
	cleanup_free const char **argv = xcalloc(words->count + 1, sizeof *argv);
	int ends[2];

	if (open_pipe(ends, err) < 0)
		return -1;
	cleanup_fd int theirs = ends[1];

	stage->errors_fd = ends[0];
	memcpy(argv, words->items, words->count * sizeof *argv);
	argv[0] = path;

	struct spawn spawn = {
		.argv = argv,
		.stdin_fd = input_fd,
		.stdout_fd = output_fd,
		.stderr_fd = theirs,
		.pass_fds = pass,
		.death_signal = SIGTERM,
	};
	pid_t pid = spawn_start(&spawn, err);
	if (pid < 0)
		return -1;
	stage->pid = pid;
	stage->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return stage->pid_fd < 0 ? error_os(err, "pidfd_open") : 0;
}

static int open_input(const json_t *input, struct error *err)
{
	cleanup_free char *text = json_compact(input);

	return memory_file("document", text, err);
}

/* What a tool writes to, ends[1], and who comes after it reads. */
static int open_output(const struct pipeline *pipeline, size_t index, int ends[2],
		       struct error *err)
{
	if (index + 1 < pipeline->count || pipeline->output_fd <= 0)
		return open_pipe(ends, err);
	ends[0] = -1;
	ends[1] = fcntl(pipeline->output_fd, F_DUPFD_CLOEXEC, 3);
	return ends[1] < 0 ? error_os(err, "a tool's output") : 0;
}

/* The first one first: the others get ready while it works. */
static int start_all(struct run *run, struct error *err)
{
	const json_t *input = run->pipeline->input;
	cleanup_fd int input_fd = input ? open_input(input, err) : -1;
	int ends[2];

	if (input && input_fd < 0)
		return -1;
	for (size_t i = 0; i < run->pipeline->count; i++) {
		if (open_output(run->pipeline, i, ends, err) < 0)
			return -1;
		int started = start_tool(run, i, input_fd, ends[1], err);
		close(ends[1]);
		cleanup_fd_p(&input_fd);
		input_fd = ends[0];
		if (started < 0)
			return -1;
	}
	run->output_fd = steal_fd(&input_fd);
	return 0;
}

/* ---- until all have ended ---- */

static void reap(struct stage *stage)
{
	int status = 0;

	while (waitpid(stage->pid, &status, 0) < 0 && errno == EINTR)
		;
	stage->pid = 0;
	stage->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *tool_name(const struct run *run, size_t index)
{
	return run->pipeline->stages[index].items[0];
}

/* Read what is there; the descriptor is closed and -1 after the end. */
static int take(const struct run *run, size_t index, int *fd, struct buffer *buffer, size_t max,
		struct error *err)
{
	unsigned char data[READ_SIZE];
	ssize_t got = read(*fd, data, sizeof data);
	size_t length = got > 0 ? (size_t)got : 0;

	if (got == 0 || (got < 0 && errno != EINTR))
		close(steal_fd(fd));
	if (run->kept_max > 0) {
		size_t kept = buffer_length(&run->output) + buffer_length(&run->stages->errors);

		max = run->kept_max;
		length = length < max - kept ? length : max - kept;
	}
	buffer_append(buffer, data, length);
	if (buffer_length(buffer) > max)
		return error_set(err, ERROR_LIMIT, "%s printed more than %zu bytes",
				 tool_name(run, index), max);
	return 0;
}

static void fill_polls(const struct run *run, struct pollfd *polls)
{
	*polls++ = (struct pollfd){ run->output_fd, POLLIN, 0 };
	for (size_t i = 0; i < run->pipeline->count; i++) {
		const struct stage *stage = &run->stages[i];

		*polls++ = (struct pollfd){ stage->errors_fd, POLLIN, 0 };
		*polls++ = (struct pollfd){ stage->pid > 0 ? stage->pid_fd : -1, POLLIN, 0 };
	}
}

static int take_all(struct run *run, const struct pollfd *polls, struct error *err)
{
	size_t last = run->pipeline->count - 1;

	if (polls->revents && take(run, last, &run->output_fd, &run->output, OUTPUT_MAX, err) < 0)
		return -1;
	polls++;
	for (size_t i = 0; i <= last; i++, polls += 2) {
		struct stage *stage = &run->stages[i];

		if (polls[0].revents &&
		    take(run, i, &stage->errors_fd, &stage->errors, ERRORS_MAX, err) < 0)
			return -1;
		if (polls[1].revents)
			reap(stage);
	}
	return 0;
}

static bool any_runs(const struct run *run)
{
	for (size_t i = 0; i < run->pipeline->count; i++)
		if (run->stages[i].pid > 0)
			return true;
	return false;
}

/* The tools that ran then are who took too long, or were in the midst of something. */
static int interrupted(const struct run *run, struct error *err)
{
	size_t at = 0;

	while (at + 1 < run->pipeline->count && run->stages[at].pid == 0)
		at++;
	const struct strings *words = &run->pipeline->stages[at];
	return error_set(err, ERROR_TEMPORARY, "interrupted while %s %s was at work",
			 words->items[0], words->count > 1 ? words->items[1] : "");
}

/* Move bytes until every tool has ended and what they said is read: by one read of all that a pipe
 * holds. A descendant that keeps a pipe open longer is not waited for, whatever it still says. */
static int converse(struct run *run, struct error *err)
{
	struct pollfd polls[1 + 2 * PIPELINE_MAX];
	nfds_t count = 1 + 2 * run->pipeline->count;

	for (;;) {
		bool running = any_runs(run);

		fill_polls(run, polls);
		int ready = cli_poll(polls, count, running ? -1 : 0);
		if (ready < 0 && errno != EINTR)
			return error_os(err, "poll");
		if (cli_interrupted())
			return interrupted(run, err);
		if (ready > 0 && take_all(run, polls, err) < 0)
			return -1;
		if (!running && ready >= 0)
			return 0;
	}
}

static void signal_all(const struct run *run, int number)
{
	for (size_t i = 0; i < run->pipeline->count; i++)
		if (run->stages[i].pid > 0)
			kill(-run->stages[i].pid, number);
}

/* Ask the tools that still run to end, let them undo, then make them. */
static void stop_all(struct run *run)
{
	int64_t end = clock_ms() + UNDO_MS;

	signal_all(run, SIGTERM);
	for (size_t i = 0; i < run->pipeline->count; i++) {
		struct pollfd ended = { run->stages[i].pid_fd, POLLIN, 0 };
		int64_t left = end - clock_ms();

		if (run->stages[i].pid == 0)
			continue;
		while (left > 0 && poll(&ended, 1, (int)left) < 0 && errno == EINTR)
			left = end - clock_ms();
	}
	signal_all(run, SIGKILL);
	for (size_t i = 0; i < run->pipeline->count; i++)
		if (run->stages[i].pid > 0)
			reap(&run->stages[i]);
}

static void run_close(struct run *run)
{
	for (size_t i = 0; i < PIPELINE_MAX; i++) {
		if (run->stages[i].pid_fd >= 0)
			close(run->stages[i].pid_fd);
		if (run->stages[i].errors_fd >= 0)
			close(run->stages[i].errors_fd);
		buffer_free(&run->stages[i].errors);
	}
	if (run->output_fd >= 0)
		close(run->output_fd);
	buffer_free(&run->output);
}

/* ---- how it ended ---- */

static void copy_text(char *to, size_t size, const json_t *object, const char *key)
{
	snprintf(to, size, "%s", json_text(object, key, ""));
}

/* Our error from what a failed tool has said: its error object, or else its last line. */
static int tool_error(const struct stage *stage, const char *tool, struct error *err)
{
	cleanup_free char *said =
		xstrndup((const char *)buffer_data(&stage->errors), buffer_length(&stage->errors));
	cleanup_free char *line = spawn_last_line(said);
	struct error ignored;
	json_auto_t *object = json_parse(line, strlen(line), tool, &ignored);

	if (json_text(object, "message", NULL)) {
		error_set(err, error_kind_from_name(json_text(object, "code", "")), "%s",
			  json_text(object, "message", ""));
		copy_text(err->subject, sizeof err->subject, object, "subject");
		copy_text(err->hint, sizeof err->hint, object, "hint");
		hints_adapt(err);
		return -1;
	}
	if (stage->status >= 128)
		return error_set(err, ERROR_FAILED, "%s was ended by signal %d", tool,
				 stage->status - 128);
	return error_set(err,
			 stage->status <= ERROR_UNSUPPORTED ? (enum error_kind)stage->status
							    : ERROR_FAILED,
			 "%s: %s", tool, *line ? line : "failed and printed no error");
}

/* True for a tool that ended because the one after it reads no more. */
static bool lost_reader(const struct stage *stage)
{
	return stage->status == 128 + SIGPIPE;
}

/* What a tool said that did not fail: warnings, for those who read our stderr. */
static void forward(const struct stage *stage)
{
	fwrite(buffer_data(&stage->errors), 1, buffer_length(&stage->errors), stderr);
}

static int check_all(const struct run *run, struct error *err)
{
	const struct stage *failed = NULL;
	size_t at = 0;

	for (size_t i = 0; i < run->pipeline->count; i++) {
		const struct stage *stage = &run->stages[i];

		if (stage->status == 0)
			forward(stage);
		if (stage->status != 0 && (!failed || lost_reader(failed))) {
			failed = stage;
			at = i;
		}
	}
	if (!failed)
		return 0;
	if (run->pipeline->failed)
		*run->pipeline->failed = tool_name(run, at);
	return tool_error(failed, tool_name(run, at), err);
}

static int run_through(struct run *run, const struct rpc_context *context, struct error *err)
{
	set_environment(context);
	if (context->trace)
		trace_pipeline(run->pipeline);
	if (start_all(run, err) == 0 && converse(run, err) == 0)
		return 0;
	/* at once: undoing may take longer than we have */
	if (cli_interrupted())
		log_message(LOG_LEVEL_WARN, "%s", err->message);
	stop_all(run);
	return -1;
}

static int run_all(struct run *run, const struct rpc_context *context, struct error *err)
{
	return run_through(run, context, err) < 0 ? -1 : check_all(run, err);
}

static void run_init(struct run *run, const struct pipeline *pipeline)
{
	*run = (struct run){ .pipeline = pipeline, .output_fd = -1 };
	for (size_t i = 0; i < PIPELINE_MAX; i++)
		run->stages[i].pid_fd = run->stages[i].errors_fd = -1;
}

int pipeline_document(const struct pipeline *pipeline, const struct rpc_context *context,
		      json_t **document, struct error *err)
{
	__attribute__((cleanup(run_close))) struct run run;

	run_init(&run, pipeline);
	if (run_all(&run, context, err) < 0)
		return -1;

	cleanup_free char *said =
		xstrndup((const char *)buffer_data(&run.output), buffer_length(&run.output));
	cleanup_free char *line = spawn_last_line(said);
	json_t *json = json_parse(line, strlen(line), tool_name(&run, pipeline->count - 1), err);
	if (!json)
		return -1;
	*document = json;
	return 0;
}

int pipeline_run(const struct pipeline *pipeline, const struct rpc_context *context,
		 struct error *err)
{
	__attribute__((cleanup(run_close))) struct run run;

	run_init(&run, pipeline);
	return run_all(&run, context, err);
}

int pipeline_rows(const struct pipeline *pipeline, const struct rpc_context *context, json_t **rows,
		  struct error *err)
{
	__attribute__((cleanup(run_close))) struct run run;

	run_init(&run, pipeline);
	if (run_all(&run, context, err) < 0)
		return -1;

	json_auto_t *array = json_array();
	const char *at = (const char *)buffer_data(&run.output), *end;
	size_t left = buffer_length(&run.output);

	for (; left > 0 && (end = memchr(at, '\n', left)); at = end + 1) {
		size_t length = (size_t)(end - at);
		json_t *row = json_parse(at, length, tool_name(&run, pipeline->count - 1), err);

		if (!row)
			return -1;
		json_array_append_new(array, row);
		left -= length + 1;
	}
	*rows = steal_ptr(&array);
	return 0;
}

int pipeline_capture(const struct pipeline *pipeline, const struct rpc_context *context, size_t max,
		     struct pipeline_result *result, struct error *err)
{
	__attribute__((cleanup(run_close))) struct run run;

	run_init(&run, pipeline);
	run.kept_max = max;
	if (run_through(&run, context, err) < 0)
		return -1;
	*result = (struct pipeline_result){ run.output, run.stages->errors, run.stages->status };
	run.output = run.stages->errors = (struct buffer){ 0 };
	return 0;
}

void pipeline_result_free(struct pipeline_result *result)
{
	buffer_free(&result->output);
	buffer_free(&result->errors);
}

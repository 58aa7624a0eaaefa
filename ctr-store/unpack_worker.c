/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpack_worker.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void fill_environment(struct strings *environment)
{
	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, "OCID_ERRORS=", 12) != 0)
			strings_add(environment, *entry);
	strings_add(environment, "OCID_ERRORS=json");
}

static void fill_arguments(const struct unpack_task *task, struct strings *arguments)
{
	cleanup_free char *program = spawn_tool_path("ctr-store-unpack");

	strings_add(arguments, program);
	strings_add(arguments, "layer");
	strings_addf(arguments, "--blob-fd=%d", task->blob_fd);
	strings_addf(arguments, "--dir-fd=%d", task->diff_fd);
	if (task->image_fd > 0)
		strings_addf(arguments, "--image-fd=%d", task->image_fd);
	if (task->blob_digest)
		strings_addf(arguments, "--blob-digest=%s", task->blob_digest);
	if (task->blob_size)
		strings_addf(arguments, "--blob-size=%lld", (long long)task->blob_size);
	if (task->diff_id)
		strings_addf(arguments, "--diff-id=%s", task->diff_id);
	if (task->user_namespace)
		strings_add(arguments, "--user-namespace");
	if (task->one_user)
		strings_add(arguments, "--one-user");
	if (task->lose_writes)
		strings_add(arguments, "--lose-writes");
	if (task->only_check)
		strings_add(arguments, "--check");
}

/* The channels to the worker; `theirs` becomes its standard descriptors. */
struct channels {
	int ours[3], theirs[3];
};

static void channels_close(struct channels *channels)
{
	for (int i = 0; i < 3; i++) {
		cleanup_fd_p(&channels->ours[i]);
		cleanup_fd_p(&channels->theirs[i]);
	}
}

static int channels_open(struct channels *channels, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_os(err, "socketpair");
	channels->ours[0] = fds[0];
	channels->theirs[0] = fds[1];
	for (int i = 1; i < 3; i++) {
		if (pipe2(fds, O_CLOEXEC) < 0)
			return error_os(err, "pipe");
		channels->ours[i] = fds[0];
		channels->theirs[i] = fds[1];
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

int unpack_worker_start(const struct unpack_task *task, struct unpack_worker *worker,
			struct error *err)
{
	__attribute__((cleanup(channels_close))) struct channels channels = { { -1, -1, -1 },
									      { -1, -1, -1 } };
	cleanup_strings struct strings environment = { 0 };

	if (channels_open(&channels, err) < 0)
		return -1;
	fill_environment(&environment);

	cleanup_strings struct strings arguments = { 0 };
	fill_arguments(task, &arguments);

	const int pass_fds[] = { task->blob_fd, task->diff_fd,
				 task->image_fd > 0 ? task->image_fd : -1, -1 };
	const struct spawn spawn = { .argv = (const char *const *)arguments.items,
				     .environment = (const char *const *)environment.items,
				     .stdin_fd = channels.theirs[0],
				     .stdout_fd = channels.theirs[1],
				     .stderr_fd = channels.theirs[2],
				     .pass_fds = pass_fds };
	pid_t pid = spawn_start(&spawn, err);

	if (pid < 0)
		return -1;
	*worker = (struct unpack_worker){ .pid = pid,
					  .socket = steal_fd(&channels.ours[0]),
					  .out = { .fd = steal_fd(&channels.ours[1]) },
					  .err = { .fd = steal_fd(&channels.ours[2]) } };
	return 0;
}

static int read_output(struct worker_output *output, struct error *err)
{
	while (output->fd >= 0) {
		output->text = xreallocarray(output->text, output->length + 4096 + 1, 1);
		ssize_t got = read(output->fd, output->text + output->length, 4096);

		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (got < 0)
			return error_os(err, "ctr-store-unpack");
		output->length += (size_t)got;
		output->text[output->length] = '\0';
		if (got == 0)
			close(steal_fd(&output->fd));
		if (output->length > WORKER_SAYS_MAX)
			return error_set(err, ERROR_FAILED, "ctr-store-unpack printed too much");
	}
	return 0;
}

/* Take the first line out of the text; NULL while it is not whole. The caller frees it. */
static char *take_line(struct worker_output *output)
{
	char *end = output->length ? memchr(output->text, '\n', output->length) : NULL;

	if (!end)
		return NULL;

	size_t length = (size_t)(end - output->text);
	char *line = xstrndup(output->text, length);
	output->length -= length + 1;
	memmove(output->text, end + 1, output->length + 1);
	return line;
}

/* Make the worker's last words our error. */
static int report_failure(const struct unpack_worker *worker, int status, struct error *err)
{
	cleanup_free char *line = spawn_last_line(worker->err.text ? worker->err.text : "");
	struct error ignored;
	json_auto_t *said = line[0] ? json_parse(line, strlen(line), "", &ignored) : NULL;
	const char *message = json_text(said, "message", NULL);

	if (WIFSIGNALED(status))
		return error_set(err, ERROR_FAILED, "ctr-store-unpack was killed by signal %d",
				 WTERMSIG(status));
	if (!message)
		return error_set(err, ERROR_FAILED, "ctr-store-unpack failed: %s",
				 line[0] ? line : "it gives no reason");
	error_set(err, error_kind_from_name(json_text(said, "code", "failed")), "%s", message);
	error_subject(err, json_text(said, "subject", ""));
	return error_hint(err, "%s", json_text(said, "hint", ""));
}

static int reap(struct unpack_worker *worker)
{
	int status = 0;

	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	worker->pid = 0;
	return status;
}

/* Both outputs have ended: so does the process. */
static int finish(struct unpack_worker *worker, json_t **result, struct error *err)
{
	int status = reap(worker);

	if (status != 0)
		return report_failure(worker, status, err);
	if (!worker->report)
		return error_set(err, ERROR_FAILED, "ctr-store-unpack ended without a report");
	*result = json_incref(worker->report);
	return 0;
}

int unpack_worker_read(struct unpack_worker *worker, enum worker_news *news, json_t **result,
		       struct error *err)
{
	if (read_output(&worker->out, err) < 0 || read_output(&worker->err, err) < 0)
		return -1;
	*news = WORKER_NOTHING;
	for (char *line; (line = take_line(&worker->out)); free(line)) {
		json_auto_t *said =
			json_parse(line, strlen(line), "the report of ctr-store-unpack", err);

		if (!said) {
			free(line);
			return -1;
		}
		if (json_object_get(said, "needs")) {
			*news = WORKER_NEEDS_LOWER;
		} else {
			json_decref(worker->report);
			worker->report = json_incref(said);
		}
	}
	if (worker->out.fd >= 0 || worker->err.fd >= 0)
		return 0;
	if (finish(worker, result, err) < 0)
		return -1;
	*news = WORKER_DONE;
	return 0;
}

int unpack_worker_give_lower(struct unpack_worker *worker, int lower_fd, struct error *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (lower_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof lower_fd),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &lower_fd, sizeof lower_fd);
	}
	if (sendmsg(worker->socket, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return error_os(err, "ctr-store-unpack");
	return 0; /* a worker that has died says so by its status */
}

void unpack_worker_end(struct unpack_worker *worker)
{
	if (worker->pid > 0) {
		kill(-worker->pid, SIGKILL);
		reap(worker);
	}
	cleanup_fd_p(&worker->socket);
	cleanup_fd_p(&worker->out.fd);
	cleanup_fd_p(&worker->err.fd);
	free(worker->out.text);
	free(worker->err.text);
	json_decref(worker->report);
	*worker = UNPACK_WORKER_NONE;
}

json_t *unpack_worker_wait(struct unpack_worker *worker, struct error *err)
{
	enum worker_news news = WORKER_NOTHING;
	json_t *report = NULL;

	while (news != WORKER_DONE) {
		struct pollfd polls[] = { { worker->out.fd, POLLIN, 0 },
					  { worker->err.fd, POLLIN, 0 } };

		if (cli_poll(polls, 2, -1) < 0 && errno != EINTR) {
			error_os(err, "poll");
			return NULL;
		}
		if (cli_interrupted()) {
			cli_fail_interrupted(err);
			return NULL;
		}
		if (unpack_worker_read(worker, &news, &report, err) < 0)
			return NULL;
	}
	return report;
}

json_t *unpack_worker_run(const struct unpack_task *task, struct error *err)
{
	__attribute__((cleanup(unpack_worker_end))) struct unpack_worker worker =
		UNPACK_WORKER_NONE;

	return unpack_worker_start(task, &worker, err) < 0 ? NULL
							   : unpack_worker_wait(&worker, err);
}

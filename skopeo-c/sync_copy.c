/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_copy.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "skopeo-c/claim.h"
#include "skopeo-c/http.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESULT_MAX = 64 << 10 /* bytes */ };

struct worker {
	pid_t pid; /* 0: none */
	int fd;	   /* its result comes here: {"digest", "unchanged"} or {"error", "kind"} */
	struct sync_item *item;
};

struct crew {
	struct sync_list *list;
	const struct copy_request *request;
	struct worker workers[SYNC_PROCESSES];
	size_t next, parallel;
	int claims_fd; /* what the processes share */
	bool keep_going, stops;
};

/* ---- in the process of its own ---- */

static json_t *copy_one(const struct crew *crew, const struct sync_item *item)
{
	struct copy_request request = *crew->request;
	struct progress silent = { .events_fd = -1 };
	struct copy_result result = { 0 };
	struct trust trust = *request.trust;
	struct error err = { 0 };

	request.source = item->source;
	request.destination = item->destination;
	request.source_access = &crew->list->repositories[item->repository].access;
	request.parallel = crew->parallel;
	request.progress = &silent;
	/* GPG's directory of the keys is each process's own, which removes it */
	trust.judge = (struct policy_judge){ 0 };
	request.trust = &trust;
	request.is_new = true; /* sync_check.c has asked */
	struct http *http = NULL;
	cleanup_fd int claims_fd = claims_open(crew->claims_fd, &err);
	request.claims_fd = claims_fd;
	if (transport_names_registry(item->source) || transport_names_registry(item->destination))
		http = http_new(&err);
	int status = err.message[0] ? -1 : copy_image(&request, http, &result, &err);
	http_free(http);
	policy_judge_free(&trust.judge);
	json_decref(result.field);
	if (status < 0)
		return json_pack("{s:o, s:i}", "error",
				 error_json(&err, request.cli->tool, request.cli->verb), "kind",
				 (int)err.kind);
	return json_pack("{s:s, s:b}", "digest", result.digest, "unchanged", result.was_there);
}

_Noreturn static void work(const struct crew *crew, const struct sync_item *item, int fd)
{
	struct error ignored;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	json_auto_t *result = copy_one(crew, item);
	cleanup_free char *text = json_compact(result);
	_exit(file_write_fd(fd, text, strlen(text), "result", &ignored) < 0);
}

/* ---- in the first one ---- */

static int start(struct crew *crew, struct worker *worker, struct sync_item *item,
		 struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "cannot make a pipe");
	pid_t pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return error_os(err, "cannot start a process");
	}
	if (pid == 0)
		work(crew, item, ends[1]);
	close(ends[1]);
	*worker = (struct worker){ .pid = pid, .fd = ends[0], .item = item };
	return 0;
}

static void note_failure(struct sync_item *item, json_t *failure, enum error_kind kind)
{
	item->state = SYNC_FAILED;
	item->failure = failure;
	item->kind = kind;
}

/* Take the result of a process that has said all it says. */
static void take_result(struct crew *crew, struct worker *worker)
{
	struct sync_item *item = worker->item;
	struct error problem;
	size_t length;
	cleanup_free char *text = file_read_fd(worker->fd, RESULT_MAX, &length, "result", &problem);
	json_auto_t *result =
		text && length > 0 ? json_parse(text, length, "result", &problem) : NULL;
	const char *digest = json_text(result, "digest", NULL);

	if (digest) {
		item->state = json_is_true(json_object_get(result, "unchanged")) ? SYNC_UNCHANGED
										 : SYNC_COPIED;
		snprintf(item->digest, sizeof item->digest, "%s", digest);
	} else if (result) {
		note_failure(item, json_incref(json_object_get(result, "error")),
			     (enum error_kind)json_integer_value(json_object_get(result, "kind")));
	} else {
		error_set(&problem, ERROR_FAILED, "the copy ended unexpectedly");
		note_failure(
			item,
			error_json(&problem, crew->request->cli->tool, crew->request->cli->verb),
			ERROR_FAILED);
	}
	if (item->state == SYNC_FAILED && !crew->keep_going)
		crew->stops = true;
}

static void wait_for_end(struct worker *worker)
{
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(worker->fd);
	*worker = (struct worker){ 0 };
}

/* Wait until a process has something to say, which is the last that it does. */
static int reap(struct crew *crew, struct error *err)
{
	struct pollfd polls[SYNC_PROCESSES];

	for (size_t i = 0; i < SYNC_PROCESSES; i++) {
		const struct worker *worker = &crew->workers[i];

		polls[i] = (struct pollfd){ worker->pid ? worker->fd : -1, POLLIN, 0 };
	}
	if (cli_poll(polls, SYNC_PROCESSES, -1) < 0) {
		if (errno != EINTR)
			return error_os(err, "poll");
		return cli_interrupted() ? cli_fail_interrupted(err) : 0;
	}
	for (size_t i = 0; i < SYNC_PROCESSES; i++)
		if (polls[i].revents) {
			take_result(crew, &crew->workers[i]);
			wait_for_end(&crew->workers[i]);
		}
	return 0;
}

static struct sync_item *next_item(struct crew *crew)
{
	while (!crew->stops && crew->next < crew->list->count) {
		struct sync_item *item = &crew->list->items[crew->next++];

		if (item->state == SYNC_CHANGED)
			return item;
	}
	return NULL;
}

/* Give every idle process something to do. Returns how many are at work, or -1. */
static int employ(struct crew *crew, struct error *err)
{
	int busy = 0;

	for (size_t i = 0; i < SYNC_PROCESSES; i++) {
		struct sync_item *item = crew->workers[i].pid ? NULL : next_item(crew);

		if (item && start(crew, &crew->workers[i], item, err) < 0)
			return -1;
		busy += crew->workers[i].pid != 0;
	}
	return busy;
}

/* Tell those that are at work to undo what is half done, and wait for them. */
static void dismiss(struct crew *crew)
{
	int signal_number = cli_interrupt_take();

	for (size_t i = 0; i < SYNC_PROCESSES; i++)
		if (crew->workers[i].pid)
			kill(crew->workers[i].pid, SIGTERM);
	for (size_t i = 0; i < SYNC_PROCESSES; i++)
		if (crew->workers[i].pid)
			wait_for_end(&crew->workers[i]);
	cli_interrupt_put(signal_number);
}

int sync_copy(struct sync_list *list, const struct copy_request *request, bool keep_going,
	      struct error *err)
{
	struct crew crew = { .list = list, .request = request, .keep_going = keep_going };
	size_t together = request->parallel ? request->parallel : TRANSFER_PARALLEL;
	int busy;

	cleanup_fd int claims_fd = claims_new(err);
	if (claims_fd < 0)
		return -1;
	crew.claims_fd = claims_fd;
	crew.parallel = (together + SYNC_PROCESSES - 1) / SYNC_PROCESSES;
	while ((busy = employ(&crew, err)) > 0)
		if (reap(&crew, err) < 0) {
			busy = -1;
			break;
		}
	if (busy < 0)
		dismiss(&crew);
	return busy;
}

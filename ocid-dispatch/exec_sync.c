/* SPDX-License-Identifier: Apache-2.0 */
/* ExecSync: a command in a container, its output and its exit code. */
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/memory_file.h"
#include "lib/spawn.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = GRPC_MESSAGE_MAX - 4096, /* bytes of both streams; what is more is dropped */
	TIMEOUT_MAX = INT_MAX / 1000,
	ERRORS_MAX = 64 << 10,
	STATUS_TIMEOUT = 124,
	STATUS_NOT_RUN = 125, /* of ocid-shim exec; 126 and 127 are the command's fault */
};

/* What ocid-shim itself has said last; NULL where it has said nothing. The caller owns it. */
static json_t *read_error(int fd)
{
	struct error ignored;
	size_t length;
	cleanup_free char *text =
		lseek(fd, 0, SEEK_SET) == 0
			? file_read_fd(fd, ERRORS_MAX, &length, "errors", &ignored)
			: NULL;
	cleanup_free char *line = text ? spawn_last_line(text) : NULL;

	return line ? json_parse(line, strlen(line), "errors", &ignored) : NULL;
}

/* Its errors are kept apart from what the command says, which may be anything. *failure is NULL
 * where there is none; the caller owns it. What the command has left running with its streams is
 * not waited for, whatever that still says. */
static int execute(const struct rpc_context *context, const char *id, const json_t *request,
		   json_int_t timeout, struct pipeline_result *result, json_t **failure,
		   struct error *err)
{
	cleanup_fd int errors_fd = memory_file("errors", "", err);
	cleanup_pipeline struct pipeline pipeline = { .pass_fd = errors_fd, .passed = ">&2" };
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", "exec", NULL);
	const json_t *word;
	size_t i;

	if (errors_fd < 0)
		return -1;
	strings_add(words, "--errors-fd");
	strings_addf(words, "%d", errors_fd);
	if (timeout > 0) {
		strings_add(words, "--timeout");
		strings_addf(words, "%lld", (long long)timeout);
	}
	strings_add(words, id);
	json_array_foreach (json_object_get(request, "cmd"), i, word) {
		strings_add(words, json_string_value(word));
	}
	if (pipeline_capture(&pipeline, context, OUTPUT_MAX, result, err) < 0)
		return -1;
	*failure = result->status == 0 ? NULL : read_error(errors_fd);
	return 0;
}

static void put_output(json_t *response, const char *key, const struct buffer *output)
{
	cleanup_free char *text = base64_encode(buffer_data(output), buffer_length(output));

	json_object_set_new(response, key, json_string(text));
}

static int answer(struct pipeline_result *result, const json_t *failure, json_int_t timeout,
		  json_t **response, struct error *err)
{
	const char *message = json_text(failure, "message", "");

	if (failure && result->status == STATUS_TIMEOUT)
		return error_set(err, (enum error_kind)ERROR_TIMEOUT,
				 "the command has not ended after %lld seconds",
				 (long long)timeout);
	if (failure && result->status <= STATUS_NOT_RUN)
		return error_set(err, error_kind_from_name(json_text(failure, "code", "")), "%s",
				 message);
	/* that a command is not there, or cannot be run, is no result: for a kubelet the exit code
	 * of one would mean that what is probed is unwell */
	if (failure)
		return error_set(err, ERROR_FAILED, "%s", message);
	*response = json_pack("{s:i}", "exitCode", result->status);
	put_output(*response, "stdout", &result->output);
	put_output(*response, "stderr", &result->errors);
	return 0;
}

int containers_exec_sync(const struct rpc_context *context, const json_t *request,
			 json_t **response, struct error *err)
{
	json_int_t timeout = strtoll(json_text(request, "timeout", "0"), NULL, 10);
	cleanup_pipeline_result struct pipeline_result result = { 0 };
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };
	json_auto_t *failure = NULL;

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
	if (execute(context, named.id, request, timeout, &result, &failure, err) < 0)
		return -1;
	return answer(&result, failure, timeout, response, err);
}

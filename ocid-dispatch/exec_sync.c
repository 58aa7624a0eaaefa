/* SPDX-License-Identifier: Apache-2.0 */
/* ExecSync: a command in a container, its output and its exit code. */
#include "ocid-dispatch/handlers.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/pipeline.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUTPUT_MAX = GRPC_MESSAGE_MAX - 4096, /* bytes of both streams; what is more is dropped */
	TIMEOUT_MAX = INT_MAX / 1000,
	STATUS_TIMEOUT = 124,
	STATUS_NOT_RUN = 125, /* of ocid-shim exec; 126 and 127 are the command's fault */
};

/* What it has left running with its streams is not waited for, whatever that still says. */
static int execute(const struct rpc_context *context, const char *id, const json_t *request,
		   json_int_t timeout, struct pipeline_result *result, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", "exec", NULL);
	const json_t *word;
	size_t i;

	if (timeout > 0) {
		strings_add(words, "--timeout");
		strings_addf(words, "%lld", (long long)timeout);
	}
	strings_add(words, id);
	json_array_foreach (json_object_get(request, "cmd"), i, word) {
		strings_add(words, json_string_value(word));
	}
	return pipeline_capture(&pipeline, context, OUTPUT_MAX, result, err);
}

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

static int answer(struct pipeline_result *result, json_int_t timeout, json_t **response,
		  struct error *err)
{
	json_auto_t *failure = result->status == 0 ? NULL : take_tool_error(&result->errors);
	const char *message = json_text(failure, "message", "");

	if (failure && result->status == STATUS_TIMEOUT)
		return error_set(err, (enum error_kind)ERROR_TIMEOUT,
				 "the command has not ended after %lld seconds",
				 (long long)timeout);
	/* a command that is not there, or cannot be run, has failed as in a shell */
	if (failure && result->status <= STATUS_NOT_RUN)
		return error_set(err, error_kind_from_name(json_text(failure, "code", "")), "%s",
				 message);
	if (failure) {
		buffer_add(&result->errors, message);
		buffer_add(&result->errors, "\n");
	}
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
	if (execute(context, named.id, request, timeout, &result, err) < 0)
		return -1;
	return answer(&result, timeout, response, err);
}

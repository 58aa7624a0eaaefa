/* SPDX-License-Identifier: Apache-2.0 */
/* Exec, Attach and PortForward: the answer is a URL, where the streaming server does the rest. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/stream_address.h"
#include "ocid-dispatch/stream_command.h"
#include "ocid-dispatch/stream_control.h"
#include "ocid-dispatch/stream_tokens.h"
#include "ocid-dispatch/trace.h"

#include <stdint.h>

/* Note what is to be done, and say where. */
static int answer(const struct rpc_context *context, enum stream_kind kind, const json_t *what,
		  json_t **response, struct error *err)
{
	cleanup_free char *url = stream_address_find(context->runroot, err);
	char token[STREAM_TOKEN_SIZE];

	if (!url || stream_token_make(context->runroot, kind, what, token, err) < 0)
		return -1;

	cleanup_free char *whole = xasprintf("%s/%s/%s", url, stream_kind_name(kind), token);
	*response = json_pack("{s:s}", "url", whole);
	return 0;
}

/* What a client will have run that comes to the URL. */
static void trace_request(const struct rpc_context *context, enum stream_kind kind,
			  const json_t *what)
{
	cleanup_pipeline struct pipeline pipeline = { .count = 1 };

	if (!context->trace)
		return;
	stream_command_words(kind, what, -1, &pipeline.stages[0]);
	trace_pipeline(&pipeline);
}

static int check_streams(const json_t *request, struct error *err)
{
	if (json_flag(request, "tty") && json_flag(request, "stderr"))
		return error_set(err, ERROR_USAGE,
				 "a terminal has no stderr of its own: tty and stderr exclude "
				 "each other");
	if (!json_flag(request, "stdin") && !json_flag(request, "stdout") &&
	    !json_flag(request, "stderr"))
		return error_set(err, ERROR_USAGE, "none of stdin, stdout and stderr is wanted");
	return 0;
}

/* The request with the whole id of its container, which must be running. The caller owns it. */
static json_t *with_container(const struct rpc_context *context, const json_t *request,
			      struct records *records, struct error *err)
{
	cleanup_named struct named named = { 0 };

	if (records_open(context, records, err) < 0 ||
	    container_find(records, json_text(request, "containerId", ""), &named, err) < 0)
		return NULL;
	if (container_state(records, &named) != CONTAINER_RUNNING) {
		error_set(err, ERROR_IN_USE, "container \"%s\" is not running", named.id);
		return NULL;
	}

	json_t *what = json_copy((json_t *)request);
	json_object_set_new(what, "containerId", json_string(named.id));
	return what;
}

int stream_exec(const struct rpc_context *context, const json_t *request, json_t **response,
		struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (json_array_size(json_object_get(request, "cmd")) == 0)
		return error_set(err, ERROR_USAGE, "the request names no command");
	if (check_streams(request, err) < 0)
		return -1;

	json_auto_t *what = with_container(context, request, &records, err);
	if (!what)
		return -1;
	trace_request(context, STREAM_EXEC, what);
	return answer(context, STREAM_EXEC, what, response, err);
}

/* Whether the container has a terminal, whatever the client takes it to have. */
static int note_terminal(const struct records *records, json_t *what, struct error *err)
{
	json_auto_t *document =
		container_document(records, json_text(what, "containerId", ""), err);

	if (!document)
		return -1;
	json_object_set(what, "terminal",
			json_path(document, "config", "process", "terminal", NULL));
	return 0;
}

int stream_attach(const struct rpc_context *context, const json_t *request, json_t **response,
		  struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (check_streams(request, err) < 0)
		return -1;

	json_auto_t *what = with_container(context, request, &records, err);
	if (!what || note_terminal(&records, what, err) < 0)
		return -1;
	trace_request(context, STREAM_ATTACH, what);
	return answer(context, STREAM_ATTACH, what, response, err);
}

/* They are so many numbers of 16 bits to the streaming server. */
static int check_ports(const json_t *request, struct error *err)
{
	const json_t *port;
	size_t i;

	if (json_array_size(json_object_get(request, "port")) > STREAM_PORTS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d ports are asked for",
				 STREAM_PORTS_MAX);
	json_array_foreach (json_object_get(request, "port"), i, port) {
		json_int_t number = json_integer_value(port);

		if (number < 1 || number > UINT16_MAX)
			return error_set(err, ERROR_USAGE,
					 "port %" JSON_INTEGER_FORMAT " is not one of 1 to %d",
					 number, UINT16_MAX);
	}
	return 0;
}

int stream_port_forward(const struct rpc_context *context, const json_t *request, json_t **response,
			struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (check_ports(request, err) < 0 || records_open(context, &records, err) < 0)
		return -1;

	json_auto_t *document = pod_asked(&records, request, err);
	if (!document)
		return -1;
	if (pod_state(&records, document) != POD_READY)
		return error_set(err, ERROR_IN_USE, "pod \"%s\" is not ready", pod_id(document));

	json_auto_t *what = json_copy((json_t *)request);
	const char *netns = json_text(json_object_get(document, "network"), "netns", NULL);
	if (netns)
		json_object_set_new(what, "netns", json_string(netns));
	return answer(context, STREAM_PORT_FORWARD, what, response, err);
}

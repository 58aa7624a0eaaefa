/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/rpc.h"

#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/transcode.h"

#include <string.h>

#undef linux /* a macro of gnu17, and a field of some messages */
#include "ocid-dispatch/cri.pb-c.h"

enum { ROWS_PER_MESSAGE = 256 };

#define RUNTIME (&runtime__v1__runtime_service__descriptor)
#define IMAGE	(&runtime__v1__image_service__descriptor)

/* Request and response of a row are those of the service's method. */
static const struct row {
	const ProtobufCServiceDescriptor *service;
	const char *method;
	rpc_handler *handler;
} methods[] = {
	{ RUNTIME, "Version", runtime_version },
	{ RUNTIME, "Status", runtime_status },
	{ RUNTIME, "RunPodSandbox", pods_run },
	{ RUNTIME, "StopPodSandbox", pods_stop },
	{ RUNTIME, "RemovePodSandbox", pods_remove },
	{ RUNTIME, "PodSandboxStatus", pods_status },
	{ RUNTIME, "ListPodSandbox", pods_list },
	{ RUNTIME, "StreamPodSandboxes", pods_stream },
	{ RUNTIME, "CreateContainer", containers_create },
	{ RUNTIME, "StartContainer", containers_start },
	{ RUNTIME, "StopContainer", containers_stop },
	{ RUNTIME, "RemoveContainer", containers_remove },
	{ RUNTIME, "ContainerStatus", containers_status },
	{ RUNTIME, "ListContainers", containers_list },
	{ RUNTIME, "StreamContainers", containers_stream },
	{ RUNTIME, "ReopenContainerLog", containers_reopen_log },
	{ RUNTIME, "UpdateContainerResources", containers_update },
	{ RUNTIME, "CheckpointContainer", containers_checkpoint },
	{ RUNTIME, "ExecSync", containers_exec_sync },
	{ RUNTIME, "Exec", stream_exec },
	{ RUNTIME, "Attach", stream_attach },
	{ RUNTIME, "PortForward", stream_port_forward },
	{ RUNTIME, "ContainerStats", stats_container },
	{ RUNTIME, "ListContainerStats", stats_containers },
	{ RUNTIME, "StreamContainerStats", stats_stream_containers },
	{ RUNTIME, "PodSandboxStats", stats_pod },
	{ RUNTIME, "ListPodSandboxStats", stats_pods },
	{ RUNTIME, "StreamPodSandboxStats", stats_stream_pods },
	{ RUNTIME, "GetContainerEvents", events_get },
	{ RUNTIME, "ListMetricDescriptors", metrics_descriptors },
	{ RUNTIME, "ListPodSandboxMetrics", metrics_list },
	{ RUNTIME, "StreamPodSandboxMetrics", metrics_stream },
	{ RUNTIME, "RuntimeConfig", runtime_config },
	{ RUNTIME, "UpdateRuntimeConfig", runtime_update_config },
	{ RUNTIME, "UpdatePodSandboxResources", pods_update_resources },
	{ IMAGE, "ListImages", images_list },
	{ IMAGE, "StreamImages", images_stream },
	{ IMAGE, "ImageFsInfo", stats_filesystems },
	{ IMAGE, "ImageStatus", images_status },
	{ IMAGE, "PullImage", images_pull },
	{ IMAGE, "RemoveImage", images_remove },
};

static const ProtobufCServiceDescriptor *const services[] = { RUNTIME, IMAGE, NULL };

static rpc_handler *handler_of(const ProtobufCServiceDescriptor *service, const char *method)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].service == service && strcmp(methods[i].method, method) == 0)
			return methods[i].handler;
	return NULL;
}

static bool find_method(const ProtobufCServiceDescriptor *service, const char *method,
			struct rpc *rpc)
{
	const ProtobufCMethodDescriptor *found =
		protobuf_c_service_descriptor_get_method_by_name(service, method);

	if (!found)
		return false;
	*rpc = (struct rpc){ service, found, handler_of(service, method), "v1" };
	return true;
}

/* The text after `prefix`, or NULL when that does not stand there. */
static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool rpc_find(const char *path, struct rpc *rpc)
{
	const char *version = "v1", *name = after(path, "/runtime.v1.");

	if (!name) {
		version = "v1alpha2";
		name = after(path, "/runtime.v1alpha2.");
	}
	for (size_t i = 0; name && services[i]; i++) {
		const char *method = after(name, services[i]->short_name);

		if (method && *method == '/' && find_method(services[i], method + 1, rpc)) {
			rpc->api_version = version;
			return true;
		}
	}
	return false;
}

int rpc_find_name(const char *name, struct rpc *rpc, struct error *err)
{
	cleanup_free char *path = xasprintf("%s%s", *name == '/' ? "" : "/", name);
	cleanup_free char *in_v1 = xasprintf("/runtime.v1.%s", name);

	if (rpc_find(path, rpc) || rpc_find(in_v1, rpc))
		return 0;
	for (size_t i = 0; services[i]; i++)
		if (find_method(services[i], name, rpc))
			return 0;
	error_set(err, ERROR_NOT_FOUND, "no RPC \"%s\"", name);
	return error_hint(err, "see ocid-dispatch rpcs");
}

json_t *rpc_list(void)
{
	json_t *list = json_array();

	for (size_t i = 0; services[i]; i++) {
		for (unsigned m = 0; m < services[i]->n_methods; m++) {
			const ProtobufCMethodDescriptor *method = &services[i]->methods[m];
			bool answered = handler_of(services[i], method->name);

			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "service",
						services[i]->short_name, "method", method->name,
						"request", method->input->short_name, "response",
						method->output->short_name, "answered", answered));
		}
	}
	return list;
}

int rpc_send_bytes(const struct rpc_context *context, const struct buffer *message,
		   struct error *err)
{
	if (buffer_length(message) > GRPC_MESSAGE_MAX)
		return error_set(err, ERROR_LIMIT, "the answer has more than %d bytes",
				 GRPC_MESSAGE_MAX);
	return context->send(context, message, err);
}

int rpc_send(const struct rpc_context *context, const json_t *message, struct error *err)
{
	cleanup_buffer struct buffer encoded = { 0 };
	const ProtobufCMessageDescriptor *type = context->rpc->method->output;

	if (transcode_encode(type, message, &encoded, err) < 0) {
		err->kind = ERROR_FAILED; /* our fault, not the client's */
		return error_prefix(err, "%s", type->short_name);
	}
	return rpc_send_bytes(context, &encoded, err);
}

int rpc_answer_list(json_t *rows, const char *key, json_t **response)
{
	if (!rows)
		return -1;
	*response = json_pack("{s:o}", key, rows);
	return 0;
}

int rpc_stream_list(const struct rpc_context *context, json_t *rows, const char *key,
		    struct error *err)
{
	json_auto_t *all = rows, *some = json_array();
	json_t *row;
	size_t i;

	if (!all)
		return -1;
	json_array_foreach (all, i, row) {
		json_array_append(some, row);
		if (json_array_size(some) < ROWS_PER_MESSAGE && i + 1 < json_array_size(all))
			continue;
		json_auto_t *message = json_pack("{s:O}", key, some);
		if (rpc_send(context, message, err) < 0)
			return -1;
		json_array_clear(some);
	}
	return 0;
}

int rpc_run(const struct rpc *rpc, const struct rpc_context *context, const void *request,
	    size_t length, bool *decoded, struct error *err)
{
	struct rpc_context of_call = *context;
	json_auto_t *question = NULL, *answer = NULL;

	of_call.rpc = rpc;
	*decoded = false;
	question = transcode_decode(rpc->method->input, request, length, false, err);
	if (!question)
		return error_prefix(err, "%s", rpc->method->input->short_name);
	*decoded = true;
	if (!rpc->handler)
		return error_set(err, ERROR_UNSUPPORTED, "%s is not answered yet",
				 rpc->method->name);
	if (rpc->handler(&of_call, question, &answer, err) < 0)
		return -1;
	return answer ? rpc_send(&of_call, answer, err) : 0;
}

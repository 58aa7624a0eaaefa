/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/rpc.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
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
	rpc_lister *lister;
	bool endless;
} methods[] = {
	{ RUNTIME, "Version", .handler = runtime_version },
	{ RUNTIME, "Status", .handler = runtime_status },
	{ RUNTIME, "RunPodSandbox", .handler = pods_run },
	{ RUNTIME, "StopPodSandbox", .handler = pods_stop },
	{ RUNTIME, "RemovePodSandbox", .handler = pods_remove },
	{ RUNTIME, "PodSandboxStatus", .handler = pods_status },
	{ RUNTIME, "ListPodSandbox", .lister = pods_listed },
	{ RUNTIME, "StreamPodSandboxes", .lister = pods_listed },
	{ RUNTIME, "CreateContainer", .handler = containers_create },
	{ RUNTIME, "StartContainer", .handler = containers_start },
	{ RUNTIME, "StopContainer", .handler = containers_stop },
	{ RUNTIME, "RemoveContainer", .handler = containers_remove },
	{ RUNTIME, "ContainerStatus", .handler = containers_status },
	{ RUNTIME, "ListContainers", .handler = containers_list },
	{ RUNTIME, "StreamContainers", .lister = containers_listed },
	{ RUNTIME, "ReopenContainerLog", .handler = containers_reopen_log },
	{ RUNTIME, "UpdateContainerResources", .handler = containers_update },
	{ RUNTIME, "CheckpointContainer", .handler = containers_checkpoint },
	{ RUNTIME, "ExecSync", .handler = containers_exec_sync },
	{ RUNTIME, "Exec", .handler = stream_exec },
	{ RUNTIME, "Attach", .handler = stream_attach },
	{ RUNTIME, "PortForward", .handler = stream_port_forward },
	{ RUNTIME, "ContainerStats", .handler = stats_container },
	{ RUNTIME, "ListContainerStats", .lister = stats_of_containers },
	{ RUNTIME, "StreamContainerStats", .lister = stats_of_containers },
	{ RUNTIME, "PodSandboxStats", .handler = stats_pod },
	{ RUNTIME, "ListPodSandboxStats", .lister = stats_of_pods },
	{ RUNTIME, "StreamPodSandboxStats", .lister = stats_of_pods },
	{ RUNTIME, "GetContainerEvents", .handler = events_get, .endless = true },
	{ RUNTIME, "ListMetricDescriptors", .handler = metrics_descriptors },
	{ RUNTIME, "ListPodSandboxMetrics", .lister = metrics_of_pods },
	{ RUNTIME, "StreamPodSandboxMetrics", .lister = metrics_of_pods },
	{ RUNTIME, "RuntimeConfig", .handler = runtime_config },
	{ RUNTIME, "UpdateRuntimeConfig", .handler = runtime_update_config },
	{ RUNTIME, "UpdatePodSandboxResources", .handler = pods_update_resources },
	{ IMAGE, "ListImages", .lister = images_listed },
	{ IMAGE, "StreamImages", .lister = images_listed },
	{ IMAGE, "ImageFsInfo", .handler = stats_filesystems },
	{ IMAGE, "ImageStatus", .handler = images_status },
	{ IMAGE, "PullImage", .handler = images_pull },
	{ IMAGE, "RemoveImage", .handler = images_remove },
};

static const ProtobufCServiceDescriptor *const services[] = { RUNTIME, IMAGE, NULL };

static bool find_method(const ProtobufCServiceDescriptor *service, const char *method,
			struct rpc *rpc)
{
	const ProtobufCMethodDescriptor *found =
		protobuf_c_service_descriptor_get_method_by_name(service, method);

	if (!found)
		return false;
	*rpc = (struct rpc){ .service = service, .method = found, .api_version = "v1" };
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (methods[i].service != service || strcmp(methods[i].method, method) != 0)
			continue;
		rpc->handler = methods[i].handler;
		rpc->lister = methods[i].lister;
		rpc->endless = methods[i].endless;
	}
	return true;
}

bool rpc_is_answered(const struct rpc *rpc)
{
	return rpc->handler || rpc->lister;
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
			struct rpc rpc = { 0 };

			find_method(services[i], method->name, &rpc);
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b}",
							      "service", services[i]->short_name,
							      "method", method->name, "request",
							      method->input->short_name, "response",
							      method->output->short_name,
							      "answered", rpc_is_answered(&rpc)));
		}
	}
	return list;
}

/* Send elements as the only field of the answer: in one message, or, where the RPC streams its
 * answer, in as many as it takes, none for none. */
static int send_list(const struct rpc_context *context, const json_t *all, struct error *err)
{
	const ProtobufCMethodDescriptor *method = context->rpc->method;
	const char *key = method->output->fields[0].name;
	bool streams = after(method->name, "Stream");
	json_auto_t *some = json_array();
	json_t *row;
	size_t i;

	if (!streams) {
		json_auto_t *message = json_pack("{s:O}", key, all);
		return rpc_send(context, message, err);
	}
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

static int answer_list(const struct rpc_context *context, const json_t *request, struct error *err)
{
	json_auto_t *all = context->rpc->lister(context, request, err);

	return all ? send_list(context, all, err) : -1;
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
	if (!rpc_is_answered(rpc))
		return error_set(err, ERROR_UNSUPPORTED, "%s is not supported, no kubelet calls it",
				 rpc->method->name);
	if (rpc->lister)
		return answer_list(&of_call, question, err);
	if (rpc->handler(&of_call, question, &answer, err) < 0)
		return -1;
	return answer ? rpc_send(&of_call, answer, err) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* PodSandboxStatus and ListPodSandbox. */
#include "ocid-dispatch/pod_status.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pod_network.h"
#include "ocid-dispatch/pod_select.h"

#include <stdlib.h>
#include <string.h>

/* What PodSandbox and PodSandboxStatus have in common. */
static json_t *describe(const struct records *records, const json_t *document)
{
	static const char *const keys[] = { "metadata", "labels", "annotations", NULL };
	const json_t *config = json_path(document, "cri", "pod", NULL);
	json_t *pod = json_pack("{s:s, s:s, s:O*, s:s}", "id", pod_id(document), "state",
				pod_state_name(pod_state(records, document)), "createdAt",
				json_path(document, "pod", "created", NULL), "runtimeHandler",
				pod_handler(document));

	for (const char *const *key = keys; *key; key++) {
		json_t *value = json_object_get(config, *key);

		if (value)
			json_object_set(pod, *key, value);
	}
	return pod;
}

/* PodSandboxNetworkStatus: empty for the network of the node. */
static json_t *network_status(const json_t *document)
{
	json_auto_t *addresses = pod_network_addresses(document);
	json_t *status = json_object(), *more = json_array(), *address;
	size_t i;

	json_array_foreach (addresses, i, address) {
		if (i == 0)
			json_object_set(status, "ip", address);
		else
			json_array_append_new(more, json_pack("{s:O}", "ip", address));
	}
	json_object_set_new(status, "additionalIps", more);
	return status;
}

json_t *pod_status(const struct records *records, const json_t *document)
{
	json_t *status = describe(records, document);
	json_t *options = json_path(document, "cri", "pod", "linux", "securityContext",
				    "namespaceOptions", NULL);

	json_object_set_new(status, "network", network_status(document));
	json_object_set_new(status, "linux",
			    json_pack("{s:{s:o}}", "namespaces", "options",
				      options ? json_incref(options) : json_object()));
	return status;
}

json_t *pods_listed(const struct rpc_context *context, const json_t *request, struct error *err)
{
	cleanup_records struct records records = { 0 };
	json_auto_t *items = json_array();
	const json_t *document;
	size_t i;

	if (records_open(context, &records, err) < 0)
		return NULL;
	json_auto_t *documents = pod_select(&records, json_object_get(request, "filter"), err);
	if (!documents)
		return NULL;
	json_array_foreach (documents, i, document) {
		json_array_append_new(items, describe(&records, document));
	}
	return json_incref(items);
}

/* What verbose asks for, as crictl shows it. */
static json_t *info(const json_t *document)
{
	cleanup_free char *text = json_compact(document);

	return json_pack("{s:s}", "info", text);
}

int pods_status(const struct rpc_context *context, const json_t *request, json_t **response,
		struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return -1;
	json_auto_t *document = pod_asked(&records, request, err);
	json_t *containers = document ? container_statuses(&records, pod_id(document), err) : NULL;
	if (!containers)
		return -1;
	*response = json_pack("{s:o, s:I, s:o}", "status", pod_status(&records, document),
			      "timestamp", clock_wall_ns(), "containersStatuses", containers);
	if (json_flag(request, "verbose"))
		json_object_set_new(*response, "info", info(document));
	return 0;
}

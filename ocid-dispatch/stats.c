/* SPDX-License-Identifier: Apache-2.0 */
/* ContainerStats, PodSandboxStats, their lists and streams, and ImageFsInfo. */
#include "ocid-dispatch/stats.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/cpu_rates.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pod_select.h"

#include <stdlib.h>
#include <string.h>

/* ---- containers ---- */

/* The rows by the text that each has at `key`. */
static json_t *index_rows(const json_t *rows, const char *key)
{
	json_t *by_key = json_object();
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		json_object_set(by_key, json_text(row, key, ""), row);
	}
	return by_key;
}

/* Of all containers that have not stopped, by their ids: asking for some by name would fail when
 * one of them ends. */
json_t *stats_uses(const struct rpc_context *context, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *rows = NULL;

	pipeline_add(&pipeline, "ocid-shim", "stats", NULL);
	return pipeline_rows(&pipeline, context, &rows, err) < 0 ? NULL : index_rows(rows, "id");
}

/* What each container takes on the disk, by id. */
json_t *stats_sizes(const struct rpc_context *context, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *rows = NULL;

	pipeline_add(&pipeline, "ctr-store", "containers", "--size", NULL);
	return pipeline_rows(&pipeline, context, &rows, err) < 0 ? NULL : index_rows(rows, "id");
}

static json_t *attributes(const json_t *record)
{
	return json_pack("{s:O*, s:O*, s:O*, s:O*}", "id", json_object_get(record, "id"),
			 "metadata", json_object_get(record, "metadata"), "labels",
			 json_object_get(record, "labels"), "annotations",
			 json_object_get(record, "annotations"));
}

static json_t *writable_layer(const struct records *records, const json_t *size)
{
	cleanup_free char *mountpoint = xasprintf("%s/containers", records->store.root);

	return json_pack("{s:I, s:{s:s}, s:{s:O*}, s:{s:O*}}", "timestamp", clock_wall_ns(), "fsId",
			 "mountpoint", mountpoint, "usedBytes", "value",
			 json_object_get(size, "usedBytes"), "inodesUsed", "value",
			 json_object_get(size, "inodesUsed"));
}

/* ContainerStats of the records; `rates` are those of cpu_rates_read(). */
static json_t *container_stats(const struct rpc_context *context, const struct records *records,
			       const json_t *containers, json_t *rates, struct error *err)
{
	static const char *const keys[] = { "cpu", "memory", "swap", "io", NULL };
	json_auto_t *uses = stats_uses(context, err), *list = json_array();
	json_auto_t *sizes = uses ? stats_sizes(context, err) : NULL;
	const json_t *record;
	size_t i;

	if (!sizes)
		return NULL;
	json_array_foreach (containers, i, record) {
		const char *id = json_text(record, "id", "");
		const json_t *use = json_object_get(uses, id), *size = json_object_get(sizes, id);
		json_t *stats = json_pack("{s:o, s:o}", "attributes", attributes(record),
					  "writableLayer", writable_layer(records, size));

		cpu_rates_note(rates, id, json_object_get(use, "cpu"));
		for (const char *const *key = keys; *key; key++) {
			json_t *value = json_object_get(use, *key);

			if (value)
				json_object_set(stats, *key, value);
		}
		json_array_append_new(list, stats);
	}
	return json_incref(list);
}

static json_t *container_stats_alone(const struct rpc_context *context,
				     const struct records *records, const json_t *containers,
				     struct error *err)
{
	json_auto_t *rates = cpu_rates_read(records);
	json_t *list = container_stats(context, records, containers, rates, err);

	if (list)
		cpu_rates_write(records, rates);
	return list;
}

/* The request's filter, for those that run, as peers have it: what has ended uses nothing. */
static json_t *filter_of(const json_t *request, const char *state)
{
	json_t *filter = json_deep_copy(json_object_get(request, "filter"));

	if (!filter)
		filter = json_object();
	json_object_set_new(filter, "state", json_pack("{s:s}", "state", state));
	return filter;
}

json_t *stats_of_containers(const struct rpc_context *context, const json_t *request,
			    struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return NULL;
	json_auto_t *filter = filter_of(request, "CONTAINER_RUNNING");
	json_auto_t *containers = container_select(&records, filter, err);
	return containers ? container_stats_alone(context, &records, containers, err) : NULL;
}

int stats_container(const struct rpc_context *context, const json_t *request, json_t **response,
		    struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return -1;
	json_auto_t *record = container_asked(&records, request, err);
	json_auto_t *one = record ? json_pack("[O]", record) : NULL;
	json_auto_t *list = one ? container_stats_alone(context, &records, one, err) : NULL;
	if (!list)
		return -1;
	*response = json_pack("{s:O}", "stats", json_array_get(list, 0));
	return 0;
}

/* ---- pods ---- */

/* What has gone through the interfaces of all pinned namespaces, by their paths. */
static json_t *all_traffic(const struct rpc_context *context, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *rows = NULL;

	pipeline_add(&pipeline, "ctr-net", "stats", NULL);
	return pipeline_rows(&pipeline, context, &rows, err) < 0 ? NULL : index_rows(rows, "netns");
}

/* Of the pod, which holds those of its containers; NULL where it has none. */
static const char *cgroup_of(const json_t *document)
{
	const char *path =
		json_string_value(json_path(document, "cri", "pod", "linux", "cgroupParent", NULL));

	return path && *path ? path : NULL;
}

/* What the pods' cgroups use, by their paths; nothing of one that is not there. */
static json_t *pod_uses(const struct rpc_context *context, const json_t *documents)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", "stats", NULL);
	size_t without = words->count;
	json_auto_t *rows = NULL;
	const json_t *document;
	struct error err = { 0 };
	size_t i;

	json_array_foreach (documents, i, document) {
		if (cgroup_of(document)) {
			strings_add(words, "--cgroup");
			strings_add(words, cgroup_of(document));
		}
	}
	if (words->count > without && pipeline_rows(&pipeline, context, &rows, &err) < 0)
		log_message(LOG_LEVEL_DEBUG, "%s", err.message);
	return index_rows(rows, "id");
}

/* NetworkUsage: the pod's first interface is the default one. */
static json_t *network_usage(const json_t *document, const json_t *traffic)
{
	const char *netns = json_string_value(
		json_path(document, "cri", "sandbox", "namespaces", "network", NULL));
	const json_t *row = netns ? json_object_get(traffic, netns) : NULL;
	json_auto_t *others = json_copy(json_object_get(row, "interfaces"));
	const json_t *first =
		json_array_get(json_path(document, "network", "attachments", NULL), 0);
	json_t *usage, *interface;
	size_t i;

	if (!row)
		return NULL;
	usage = json_pack("{s:O*}", "timestamp", json_object_get(row, "timestamp"));
	json_array_foreach (others, i, interface) {
		if (strcmp(json_text(interface, "name", ""), json_text(first, "ifname", "eth0")) !=
		    0)
			continue;
		json_object_set(usage, "defaultInterface", interface);
		json_array_remove(others, i);
		break;
	}
	json_object_set(usage, "interfaces", others);
	return usage;
}

static json_t *containers_of(const json_t *stats, const json_t *containers, const char *pod)
{
	json_t *list = json_array(), *record;
	size_t i;

	json_array_foreach (containers, i, record) {
		if (strcmp(json_text(record, "podSandboxId", ""), pod) == 0)
			json_array_append(list, json_array_get(stats, i));
	}
	return list;
}

static json_t *pod_attributes(const json_t *document)
{
	const json_t *config = json_path(document, "cri", "pod", NULL);

	return json_pack("{s:s, s:O*, s:O*, s:O*}", "id", pod_id(document), "metadata",
			 json_object_get(config, "metadata"), "labels",
			 json_object_get(config, "labels"), "annotations",
			 json_object_get(config, "annotations"));
}

static json_t *pod_stats(const json_t *document, const json_t *traffic, const json_t *use,
			 json_t *containers)
{
	static const char *const keys[] = { "cpu", "memory", "io", NULL };
	json_t *count = json_path(use, "pids", "current", NULL);
	json_t *stats = json_pack("{s:o, s:o*}", "containers", containers, "network",
				  network_usage(document, traffic));

	for (const char *const *key = keys; *key; key++) {
		json_t *value = json_object_get(use, *key);

		if (value)
			json_object_set(stats, *key, value);
	}
	if (count)
		json_object_set_new(stats, "process",
				    json_pack("{s:O*, s:{s:O}}", "timestamp",
					      json_object_get(use, "timestamp"), "processCount",
					      "value", count));
	return json_pack("{s:o, s:o}", "attributes", pod_attributes(document), "linux", stats);
}

static json_t *stats_of(const struct rpc_context *context, const struct records *records,
			const json_t *documents, struct error *err)
{
	json_auto_t *filter = json_pack("{s:{s:s}}", "state", "state", "CONTAINER_RUNNING");
	json_auto_t *containers = container_select(records, filter, err), *list = json_array();
	json_auto_t *rates = cpu_rates_read(records);
	json_auto_t *uses =
		containers ? container_stats(context, records, containers, rates, err) : NULL;
	json_auto_t *traffic = uses ? all_traffic(context, err) : NULL;
	json_auto_t *of_pods = traffic ? pod_uses(context, documents) : NULL;
	const json_t *document;
	size_t i;

	if (!traffic)
		return NULL;
	json_array_foreach (documents, i, document) {
		const char *cgroup = cgroup_of(document);
		const json_t *use = cgroup ? json_object_get(of_pods, cgroup) : NULL;

		cpu_rates_note(rates, pod_id(document), json_object_get(use, "cpu"));
		json_array_append_new(list,
				      pod_stats(document, traffic, use,
						containers_of(uses, containers, pod_id(document))));
	}
	cpu_rates_write(records, rates);
	return json_incref(list);
}

json_t *stats_of_pods(const struct rpc_context *context, const json_t *request, struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return NULL;
	json_auto_t *filter = filter_of(request, "SANDBOX_READY");
	json_auto_t *documents = pod_select(&records, filter, err);
	return documents ? stats_of(context, &records, documents, err) : NULL;
}

int stats_pod(const struct rpc_context *context, const json_t *request, json_t **response,
	      struct error *err)
{
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return -1;
	json_auto_t *document = pod_asked(&records, request, err);
	json_auto_t *one = document ? json_pack("[O]", document) : NULL;
	json_auto_t *list = one ? stats_of(context, &records, one, err) : NULL;
	if (!list)
		return -1;
	*response = json_pack("{s:O}", "stats", json_array_get(list, 0));
	return 0;
}

/* ---- file systems ---- */

static json_t *filesystem(const struct records *records, const json_t *df, const char *key,
			  const char *directory)
{
	const json_t *row = json_object_get(df, key);
	cleanup_free char *mountpoint = xasprintf("%s/%s", records->store.root, directory);

	return json_pack("{s:O*, s:{s:s}, s:{s:O*}, s:{s:O*}}", "timestamp",
			 json_object_get(df, "timestamp"), "fsId", "mountpoint", mountpoint,
			 "usedBytes", "value", json_object_get(row, "usedBytes"), "inodesUsed",
			 "value", json_object_get(row, "inodesUsed"));
}

int stats_filesystems(const struct rpc_context *context, const json_t *request, json_t **response,
		      struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	cleanup_records struct records records = { 0 };
	json_auto_t *df = NULL;

	(void)request;
	pipeline_add(&pipeline, "ctr-store", "df", NULL);
	if (records_open(context, &records, err) < 0 ||
	    pipeline_document(&pipeline, context, &df, err) < 0)
		return -1;
	*response = json_pack("{s:[o], s:[o]}", "imageFilesystems",
			      filesystem(&records, df, "imageFilesystem", "images"),
			      "containerFilesystems",
			      filesystem(&records, df, "containerFilesystem", "containers"));
	return 0;
}

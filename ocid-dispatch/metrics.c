/* SPDX-License-Identifier: Apache-2.0 */
/* ListMetricDescriptors, ListPodSandboxMetrics and StreamPodSandboxMetrics. */
#include "ocid-dispatch/metrics.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_status.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pod_select.h"
#include "ocid-dispatch/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { NET_MAX = 1 << 20, NET_COLUMNS = 16, NS_PER_S = 1000000000, CPU_PERIOD = 100000 };

/* What all metrics of a container have in common while they are collected. */
struct subject {
	const json_t *labels; /* the values of the labels that all have */
	json_t *list;	      /* Metrics */
	json_int_t now;
	const struct metric *metric; /* the present row */
};

/* ---- descriptors ---- */

static const char *const label_keys[] = { "container", "id",  "image", "name",
					  "namespace", "pod", NULL };

/* A figure of devices that has no operation of its own is one for each. */
static bool has_operation(const struct metric *metric)
{
	return metric->kind == METRIC_DEVICES && !metric->operation[0];
}

static json_t *descriptor(const struct metric *metric)
{
	json_t *keys = json_array();

	for (const char *const *key = label_keys; *key; key++)
		json_array_append_new(keys, json_string(*key));
	if (metric->label)
		json_array_append_new(keys, json_string(metric->label));
	if (has_operation(metric))
		json_array_append_new(keys, json_string("operation"));
	return json_pack("{s:s, s:s, s:o}", "name", metric->name, "help", metric->help, "labelKeys",
			 keys);
}

int metrics_descriptors(const struct rpc_context *context, const json_t *request, json_t **response,
			struct error *err)
{
	json_t *list = json_array();

	(void)context;
	(void)request;
	(void)err;
	for (const struct metric *metric = metrics; metric->name; metric++)
		json_array_append_new(list, descriptor(metric));
	*response = json_pack("{s:o}", "descriptors", list);
	return 0;
}

/* ---- one metric ---- */

static void put(struct subject *subject, const char *label, const char *operation, uint64_t value)
{
	const struct metric *metric = subject->metric;
	json_t *labels = json_copy((json_t *)subject->labels);
	/* the largest that there is here stands for what is larger, such as no limit */
	json_int_t figure = value > INT64_MAX ? INT64_MAX : (json_int_t)value;

	if (metric->label)
		json_array_append_new(labels, json_string(label));
	if (has_operation(metric))
		json_array_append_new(labels, json_string(operation));
	json_array_append_new(subject->list,
			      json_pack("{s:s, s:I, s:s, s:o, s:{s:I}}", "name", metric->name,
					"timestamp", subject->now, "metricType",
					metric->counter ? "COUNTER" : "GAUGE", "labelValues",
					labels, "value", "value", figure));
}

static void put_device(void *to, const char *device, const char *operation, uint64_t value)
{
	put(to, device, operation, value);
}

static bool is_named(const struct metric *metric, const char *name)
{
	return strcmp(metric->name + strlen("container_"), name) == 0;
}

static uint64_t of_processes(const struct metric *metric, const struct metric_processes *processes)
{
	return is_named(metric, "processes")	      ? processes->processes
	       : is_named(metric, "threads")	      ? processes->threads
	       : is_named(metric, "file_descriptors") ? processes->descriptors
	       : is_named(metric, "sockets")	      ? processes->sockets
						      : processes->open_files_soft;
}

/* ---- what is known otherwise ---- */

/* What a container is at this moment. */
struct container_view {
	const json_t *use, *size;
	json_t *resources; /* LinuxContainerResources; borrowed */
	const char *started, *directory;
	struct statvfs fs;
	struct metric_processes processes;
	const json_t *cgroups;
};

/* A negative one is no limit, which has the figure 0. */
static uint64_t number_of(const json_t *object, const char *key, uint64_t otherwise)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	long long number = text ? strtoll(text, NULL, 10) : json_integer_value(value);

	if (!value)
		return otherwise;
	return number > 0 ? (uint64_t)number : 0;
}

static uint64_t own(const struct subject *subject, const struct container_view *view)
{
	static const struct {
		const char *name, *key;
		uint64_t otherwise;
	} limits[] = {
		{ "spec_cpu_period", "cpuPeriod", CPU_PERIOD },
		{ "spec_cpu_quota", "cpuQuota", 0 },
		{ "spec_cpu_shares", "cpuShares", 0 },
		{ "spec_memory_limit_bytes", "memoryLimitInBytes", 0 },
		{ "spec_memory_swap_limit_bytes", "memorySwapLimitInBytes", 0 },
	};
	const struct metric *metric = subject->metric;

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (is_named(metric, limits[i].name))
			return number_of(view->resources, limits[i].key, limits[i].otherwise);
	if (is_named(metric, "fs_inodes_free"))
		return view->fs.f_ffree;
	if (is_named(metric, "fs_inodes_total"))
		return view->fs.f_files;
	if (is_named(metric, "fs_limit_bytes"))
		return (uint64_t)view->fs.f_blocks * view->fs.f_frsize;
	if (is_named(metric, "fs_usage_bytes"))
		return number_of(view->size, "usedBytes", 0);
	if (is_named(metric, "last_seen"))
		return (uint64_t)subject->now / NS_PER_S;
	if (is_named(metric, "memory_working_set_bytes"))
		return number_of(json_path(view->use, "memory", "workingSetBytes", NULL), "value",
				 0);
	return (uint64_t)records_time(view->started) / NS_PER_S;
}

static void collect(struct subject *subject, const struct container_view *view)
{
	uint64_t value;

	for (subject->metric = metrics; subject->metric->name; subject->metric++) {
		const struct metric *metric = subject->metric;

		switch (metric->kind) {
		case METRIC_CGROUP:
			if (metric_read(view->cgroups, metric, &value))
				put(subject, metric->label_value, NULL, value);
			break;
		case METRIC_DEVICES:
			metric_read_devices(view->cgroups, metric, put_device, subject);
			break;
		case METRIC_PROCESSES:
			put(subject, metric->label_value, NULL,
			    of_processes(metric, &view->processes));
			break;
		case METRIC_OWN:
			value = own(subject, view);
			/* a quota of 0 would be one of no time at all */
			if (value > 0 || !is_named(metric, "spec_cpu_quota"))
				put(subject, view->directory, NULL, value);
			break;
		case METRIC_NETWORK:
			break;
		}
	}
}

/* ---- containers and pods ---- */

static json_t *labels_of(const json_t *document, const char *id, const char *name,
			 const char *image)
{
	const json_t *metadata = json_path(document, "cri", "pod", "metadata", NULL);

	return json_pack("[s, s, s, s, s, s]", name, id, image, id,
			 json_text(metadata, "namespace", ""), json_text(metadata, "name", ""));
}

static json_t *container_metrics(const struct records *records, const json_t *document,
				 const json_t *record, const json_t *use, const json_t *size)
{
	const char *id = json_text(record, "id", "");
	const struct named named = { (char *)id, (char *)pod_id(document) };
	cleanup_free char *directory = xasprintf("%s/containers", records->store.root);
	cleanup_facts struct facts facts = { 0 };
	struct error ignored;
	json_auto_t *whole = container_document(records, id, &ignored);
	json_auto_t *labels =
		labels_of(document, id, json_text(json_object_get(record, "metadata"), "name", ""),
			  json_text(json_object_get(record, "image"), "image", ""));
	struct subject subject = { .labels = labels, .list = json_array(), .now = clock_wall_ns() };

	container_facts(records, &named, &facts);
	struct container_view view = {
		.use = use,
		.size = size,
		.resources = json_path(whole, "cri", "container", "linux", "resources", NULL),
		.started = facts.started ? facts.started : "",
		.directory = directory,
		.cgroups = json_object_get(facts.shim, "cgroups"),
	};
	statvfs(directory, &view.fs);
	metric_count_processes(view.cgroups, &view.processes);
	collect(&subject, &view);
	return json_pack("{s:s, s:o}", "containerId", id, "metrics", subject.list);
}

/* A line "NAME: 1 2 3 …" of /proc/PID/net/dev. */
static void put_interface(struct subject *subject, char *line)
{
	char *numbers = strchr(line, ':'), *end;
	uint64_t columns[NET_COLUMNS] = { 0 };
	const char *name = line + strspn(line, " ");

	if (!numbers)
		return;
	*numbers++ = '\0';
	if (strcmp(name, "lo") == 0)
		return;
	for (size_t i = 0; i < NET_COLUMNS; i++, numbers = end)
		columns[i] = strtoull(numbers, &end, 10);
	for (subject->metric = metrics; subject->metric->name; subject->metric++)
		if (subject->metric->kind == METRIC_NETWORK)
			put(subject, name, NULL, columns[subject->metric->column]);
}

/* The interfaces of a pod, as one of its processes sees them. */
static json_t *network_metrics(const json_t *document, pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/net/dev", (int)pid);
	struct error ignored;
	size_t length;
	cleanup_free char *text =
		pid > 0 ? file_read_at(AT_FDCWD, path, NET_MAX, &length, &ignored) : NULL;
	json_auto_t *labels = labels_of(document, pod_id(document), "", "");
	struct subject subject = { .labels = labels, .list = json_array(), .now = clock_wall_ns() };
	char *rest = text;

	while (rest && *rest)
		put_interface(&subject, strsep(&rest, "\n"));
	return subject.list;
}

static pid_t process_of(const struct records *records, const struct named *named)
{
	cleanup_facts struct facts facts = { 0 };

	container_facts(records, named, &facts);
	return (pid_t)json_integer_value(json_object_get(facts.shim, "pid"));
}

static json_t *pod_metrics(const struct records *records, const json_t *document,
			   const json_t *containers, const json_t *uses, const json_t *sizes)
{
	const char *pod = pod_id(document);
	bool own_network = json_object_get(document, "network");
	json_t *list = json_array(), *record;
	pid_t pid = 0;
	size_t i;

	json_array_foreach (containers, i, record) {
		const char *id = json_text(record, "id", "");

		if (strcmp(json_text(record, "podSandboxId", ""), pod) != 0)
			continue;
		if (pid == 0 && own_network)
			pid = process_of(records, &(struct named){ (char *)id, (char *)pod });
		json_array_append_new(list, container_metrics(records, document, record,
							      json_object_get(uses, id),
							      json_object_get(sizes, id)));
	}
	return json_pack("{s:s, s:o, s:o}", "podSandboxId", pod, "metrics",
			 network_metrics(document, pid), "containerMetrics", list);
}

json_t *metrics_of_pods(const struct rpc_context *context, const json_t *request, struct error *err)
{
	cleanup_records struct records records = { 0 };
	json_auto_t *running = json_pack("{s:{s:s}}", "state", "state", "CONTAINER_RUNNING");
	json_auto_t *ready = json_pack("{s:{s:s}}", "state", "state", "SANDBOX_READY");
	json_auto_t *list = json_array();
	const json_t *document;
	size_t i;

	(void)request;
	if (records_open(context, &records, err) < 0)
		return NULL;
	json_auto_t *uses = stats_uses(context, err);
	json_auto_t *sizes = uses ? stats_sizes(context, err) : NULL;
	json_auto_t *containers = sizes ? container_select(&records, running, err) : NULL;
	json_auto_t *documents = containers ? pod_select(&records, ready, err) : NULL;
	if (!documents)
		return NULL;
	json_array_foreach (documents, i, document) {
		json_array_append_new(list,
				      pod_metrics(&records, document, containers, uses, sizes));
	}
	return json_incref(list);
}

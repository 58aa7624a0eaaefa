/* SPDX-License-Identifier: Apache-2.0 */
/* StopContainer, RemoveContainer, ReopenContainerLog, UpdateContainerResources. */
#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_restore.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MAX = INT_MAX / 1000 };

/* The container that a request names. */
static int find(const struct rpc_context *context, const json_t *request, struct records *records,
		struct named *named, struct error *err)
{
	if (records_open(context, records, err) < 0)
		return -1;
	return container_find(records, json_text(request, "containerId", ""), named, err);
}

/* The same where it is no error that there is none: *named stays empty. */
static int find_or_none(const struct rpc_context *context, const json_t *request,
			struct records *records, struct named *named, struct error *err)
{
	struct error why = { 0 };

	if (find(context, request, records, named, &why) == 0 || why.kind == ERROR_NOT_FOUND)
		return 0;
	*err = why;
	return -1;
}

int containers_stop(const struct rpc_context *context, const json_t *request, json_t **response,
		    struct error *err)
{
	long long timeout = strtoll(json_text(request, "timeout", "0"), NULL, 10);
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (find_or_none(context, request, &records, &named, err) < 0)
		return -1;
	*response = json_object();
	if (!named.id)
		return 0;
	timeout = timeout < 0 ? 0 : timeout > TIMEOUT_MAX ? TIMEOUT_MAX : timeout;
	return container_stop(context, &records, &named, (int)timeout, err);
}

int containers_remove(const struct rpc_context *context, const json_t *request, json_t **response,
		      struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (find_or_none(context, request, &records, &named, err) < 0)
		return -1;
	*response = json_object();
	if (!named.id)
		return 0;
	cleanup_fd int lock = container_lock(&records, named.id, true, err);
	return lock < 0 ? -1 : container_remove(context, &records, &named, err);
}

int containers_reopen_log(const struct rpc_context *context, const json_t *request,
			  json_t **response, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (find(context, request, &records, &named, err) < 0)
		return -1;
	if (container_state(&records, &named) != CONTAINER_RUNNING)
		return error_set(err, ERROR_IN_USE, "the container %s does not run", named.id);
	pipeline_add(&pipeline, "ocid-shim", "reopen-logs", named.id, NULL);
	if (pipeline_run(&pipeline, context, err) < 0)
		return -1;
	*response = json_object();
	return 0;
}

/* ---- resources ---- */

static void put(json_t *resources, const char *group, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);
	json_t *members = json_object_get(resources, group);

	if (!members) {
		members = json_object();
		json_object_set_new(resources, group, members);
	}
	/* 64-bit integers are text in protobuf's JSON */
	json_object_set_new(members, key,
			    text && strncmp(key, "cpus", 4) != 0 && strcmp(key, "mems") != 0
				    ? json_integer(strtoll(text, NULL, 10))
				    : json_incref((json_t *)value));
}

/* LinuxContainerResources as OCI's; what has its default is left as it is. */
static json_t *oci_resources(const json_t *cri)
{
	static const struct {
		const char *name, *group, *key;
	} members[] = {
		{ "cpuPeriod", "cpu", "period" },
		{ "cpuQuota", "cpu", "quota" },
		{ "cpuShares", "cpu", "shares" },
		{ "cpusetCpus", "cpu", "cpus" },
		{ "cpusetMems", "cpu", "mems" },
		{ "memoryLimitInBytes", "memory", "limit" },
		{ "memorySwapLimitInBytes", "memory", "swap" },
	};
	json_t *resources = json_object(), *page, *unified = json_object_get(cri, "unified");
	size_t i;

	for (i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *value = json_object_get(cri, members[i].name);

		if (value)
			put(resources, members[i].group, members[i].key, value);
	}
	/* without a limit of its own swap has that of memory, as when the container was made */
	const json_t *limit = json_object_get(cri, "memoryLimitInBytes");
	if (limit && !json_object_get(cri, "memorySwapLimitInBytes") && cgroup_limits_swap())
		put(resources, "memory", "swap", limit);
	if (json_object_size(unified) > 0)
		json_object_set(resources, "unified", unified);
	json_array_foreach (json_object_get(cri, "hugepageLimits"), i, page) {
		json_t *list = json_object_get(resources, "hugepageLimits");

		if (!list) {
			list = json_array();
			json_object_set_new(resources, "hugepageLimits", list);
		}
		json_array_append_new(
			list,
			json_pack("{s:s, s:I}", "pageSize", json_text(page, "pageSize", ""),
				  "limit",
				  (json_int_t)strtoll(json_text(page, "limit", "0"), NULL, 10)));
	}
	return resources;
}

static bool limits_pages(const json_t *limits, const char *size)
{
	const json_t *limit;
	size_t i;

	json_array_foreach (limits, i, limit) {
		if (strcmp(json_text(limit, "pageSize", ""), size) == 0)
			return true;
	}
	return false;
}

/* What was given earlier stays where it is not named again: no less than in the kernel. */
static void merge_resources(json_t *earlier, json_t *given)
{
	json_t *limits = json_object_get(given, "hugepageLimits"), *limit;
	size_t i;

	json_array_foreach (json_object_get(earlier, "hugepageLimits"), i, limit) {
		if (limits && !limits_pages(limits, json_text(limit, "pageSize", "")))
			json_array_append(limits, limit);
	}
	/* swap has the new limit of memory then, see oci_resources() */
	if (json_object_get(given, "memoryLimitInBytes"))
		json_object_del(earlier, "memorySwapLimitInBytes");
	json_object_update_recursive(earlier, given);
}

/* What a container has been given also stands in its document. */
static void note_resources(json_t *document, json_t *cri)
{
	json_t *container = json_path(document, "cri", "container", NULL);
	json_t *linux_config = json_object_get(container, "linux");

	if (!linux_config) {
		linux_config = json_object();
		json_object_set_new(container, "linux", linux_config);
	}
	json_t *resources = json_object_get(linux_config, "resources");
	if (resources)
		merge_resources(resources, cri);
	else
		json_object_set(linux_config, "resources", cri);
}

static int write_document(const struct records *records, const char *id, const json_t *document,
			  struct error *err)
{
	cleanup_fd int fd = openat(records->store.containers_fd, id,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_os(err, "container %s", id);
	return records_write(fd, "document.json", document, RECORD_DURABLE, err);
}

/* What has not been started is given its configuration anew. */
static int configure_anew(const struct rpc_context *context, const struct records *records,
			  const struct named *named, const json_t *document, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { .input = document };
	cleanup_free char *checkpoint = restore_directory(records, named);
	struct strings *words = pipeline_add(&pipeline, "oci-gen", "generate", NULL);

	if (checkpoint)
		restore_generate(records, named->id, words);
	if (pipeline_run(&pipeline, context, err) == 0)
		return 0;
	/* in what the client asks for: no data is lost */
	if (err->kind == ERROR_INTEGRITY)
		err->kind = ERROR_USAGE;
	return -1;
}

static int change(const struct rpc_context *context, const char *id, const json_t *cri,
		  struct error *err)
{
	json_auto_t *resources = oci_resources(cri);
	cleanup_pipeline struct pipeline pipeline = { .input = resources };

	if (json_object_size(resources) == 0)
		return 0;
	pipeline_add(&pipeline, "ocid-shim", "update", id, NULL);
	return pipeline_run(&pipeline, context, err);
}

static int update(const struct rpc_context *context, const struct records *records,
		  const struct named *named, json_t *document, json_t *cri, struct error *err)
{
	enum container_state state = container_state(records, named);

	if (state == CONTAINER_EXITED)
		return error_set(err, ERROR_IN_USE, "the container %s does not run", named->id);
	/* each process has its own, and may have chosen it: only the first one's can be given */
	if (state == CONTAINER_RUNNING)
		json_object_del(cri, "oomScoreAdj");
	if (!cri)
		return 0;
	if (state == CONTAINER_RUNNING && change(context, named->id, cri, err) < 0)
		return -1;
	note_resources(document, cri);
	/* before that is kept, as what is refused here must not be */
	if (state == CONTAINER_CREATED &&
	    configure_anew(context, records, named, document, err) < 0)
		return -1;
	return write_document(records, named->id, document, err);
}

int containers_update(const struct rpc_context *context, const json_t *request, json_t **response,
		      struct error *err)
{
	json_t *cri = json_object_get(request, "linux");
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (json_object_get(request, "windows"))
		return error_set(err, ERROR_UNSUPPORTED, "this is no Windows node");
	if (find(context, request, &records, &named, err) < 0)
		return -1;
	/* it must not be started meanwhile */
	cleanup_fd int lock = container_lock(&records, named.id, true, err);
	json_auto_t *document = lock < 0 ? NULL : container_document(&records, named.id, err);
	if (!document || update(context, &records, &named, document, cri, err) < 0)
		return -1;
	*response = json_object();
	return 0;
}

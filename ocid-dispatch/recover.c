/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/recover.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pod_names.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/rpc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *what, const char *id, const struct error *err)
{
	log_message(LOG_LEVEL_WARN, "%s %s was half-made and cannot be removed: %s", what, id,
		    err->message);
}

static void tell_damaged(const char *what, const char *id, const struct error *err)
{
	log_message(LOG_LEVEL_WARN, "%s %s is removed, since its record is damaged: %s", what, id,
		    err->message);
}

/* A container that was being made or removed, when nobody does now. That it is being made need not
 * have reached the disk: after a power cut such a record is no JSON. */
static void recover_container(const struct rpc_context *context, const struct records *records,
			      const struct named *named)
{
	struct error err = { 0 };
	cleanup_fd int lock = container_lock(records, named->id, false, &err);

	if (lock < 0)
		return;
	json_auto_t *record = container_read(records, named, &err);
	bool half = record ? strcmp(json_text(record, "stage", ""), "made") != 0
			   : err.kind == ERROR_INTEGRITY;
	if (half && !record)
		tell_damaged("container", named->id, &err);
	if (half && container_remove(context, records, named, &err) < 0)
		tell("container", named->id, &err);
}

static void recover_containers(const struct rpc_context *context, const struct records *records,
			       char *pod)
{
	cleanup_strings struct strings ids = { 0 };
	struct error ignored;

	if (container_ids(records, pod, &ids, &ignored) < 0)
		return;
	for (size_t i = 0; i < ids.count; i++) {
		const struct named named = { ids.items[i], pod };

		recover_container(context, records, &named);
	}
}

static void recover_pod(const struct rpc_context *context, const struct records *records, char *id)
{
	struct error err = { 0 };
	cleanup_fd int lock = pod_lock(records, id, LOCK_EXCLUSIVE, false, &err);

	if (lock < 0)
		return;
	json_auto_t *document = pod_read(records, id, &err);
	const char *stage = pod_stage(document);
	bool half = document ? strcmp(stage, "making") == 0 || strcmp(stage, "removing") == 0
			     : err.kind == ERROR_NOT_FOUND || err.kind == ERROR_INTEGRITY;
	if (half && err.kind == ERROR_INTEGRITY)
		tell_damaged("pod", id, &err);
	if (half) {
		if (pod_remove(context, records, id, &err) < 0)
			tell("pod", id, &err);
	} else {
		recover_containers(context, records, id);
	}
}

/* Locks of objects that are gone: those who hold one take it away themselves, unless killed. */
static void recover_locks(const struct records *records)
{
	static const char *const kinds[] = { "pod", "podname", "podnames", "cri", NULL };
	int locks_fd = records->store.locks_fd;
	cleanup_strings struct strings names = { 0 };
	struct error ignored;

	if (records_ids(locks_fd, ".", "", &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		char *name = names.items[i], *id = strchr(name, '-');

		if (!id)
			continue;
		*id++ = '\0';
		for (const char *const *kind = kinds; *kind; kind++) {
			cleanup_fd int lock = strcmp(name, *kind) != 0
						      ? -1
						      : lock_take(locks_fd, name, id,
								  LOCK_EXCLUSIVE, false, &ignored);
			if (lock >= 0)
				lock_discard(locks_fd, name, id);
		}
	}
}

/* Files of layers, checkpoints and the like: nobody else does this on a node. */
static void collect(const struct rpc_context *context)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct error err = { 0 };

	pipeline_add(&pipeline, "ctr-store", "gc", NULL);
	if (pipeline_run(&pipeline, context, &err) < 0)
		log_message(LOG_LEVEL_WARN, "ctr-store gc: %s", err.message);
}

static void recover_all(const struct rpc_context *context)
{
	cleanup_records struct records records = { 0 };
	cleanup_strings struct strings ids = { 0 };
	struct error err = { 0 };

	if (records_open(context, &records, &err) < 0 || pod_ids(&records, &ids, &err) < 0) {
		log_message(LOG_LEVEL_ERROR, "%s", err.message);
		return;
	}
	for (size_t i = 0; i < ids.count; i++)
		recover_pod(context, &records, ids.items[i]);
	pod_names_sweep(&records);
	recover_locks(&records);
	collect(context);
}

void recover(const struct rpc_context *context)
{
	pid_t pid = fork();

	/* a process of nobody: the server reaps its handlers only */
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid != 0)
		return;
	if (fork() == 0) {
		/* the socket and its lock are the server's alone: should it be killed, the next one
		 * needs them while we are still at work */
		close_range(STDERR_FILENO + 1, UINT_MAX, 0);
		recover_all(context);
	}
	_exit(EXIT_SUCCESS);
}

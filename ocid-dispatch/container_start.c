/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StartContainer: ocid-shim run, or restore. Until that has been told that the container stays, it
 * undoes what it has done whoever is killed, so one that was not started whole can be started
 * again.
 */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/container_restore.h"
#include "ocid-dispatch/container_target.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/rpc.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), suffix = strlen(end);

	return length > suffix && strcmp(text + length - suffix, end) == 0;
}

static int run(const struct rpc_context *context, const struct records *records,
	       const struct named *named, struct error *err)
{
	json_auto_t *pod = pod_read(records, named->pod, err);
	json_auto_t *document = pod ? container_document(records, named->id, err) : NULL;
	const char *runtime =
		document ? configuration_runtime(context->configuration, pod_handler(pod), err)
			 : NULL;
	cleanup_pipeline struct pipeline pipeline = { .input = document };
	const char *parent =
		json_string_value(json_path(pod, "cri", "pod", "linux", "cgroupParent", NULL));
	cleanup_free char *target = NULL;

	if (!runtime)
		return -1;
	if (pod_state(records, pod) != POD_READY)
		return error_set(err, ERROR_IN_USE, "the pod %s is not ready", named->pod);
	/* once it has ended its process id may be that of any process */
	if (container_target(records, json_path(document, "cri", "container", NULL), named->pod,
			     &target, err) < 0)
		return -1;
	cleanup_free char *checkpoint = restore_directory(records, named);
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", checkpoint ? "restore" : "run",
					     "--runtime", runtime, NULL);
	if (checkpoint) {
		strings_add(words, "--from");
		strings_add(words, checkpoint);
	}
	/* as oci-gen has written the path of the cgroup */
	if (parent && ends_with(parent, ".slice"))
		strings_add(words, "--systemd-cgroup");
	if (pipeline_run(&pipeline, context, err) < 0)
		return -1;
	if (checkpoint)
		restore_release(context, records, named);
	return 0;
}

static int start(const struct rpc_context *context, const struct records *records,
		 const struct named *named, struct error *err)
{
	enum container_state state = container_state(records, named);
	struct error why = { 0 }, told;

	if (state != CONTAINER_CREATED)
		return error_set(err, ERROR_IN_USE, "container \"%s\" is %s already", named->id,
				 state == CONTAINER_RUNNING ? "running" : "stopped");
	if (run(context, records, named, err) == 0)
		return 0;
	told = *err;
	rpc_add_hint(&told);
	/* a client that went away may come again */
	if (!cli_interrupted() && container_fail(records, named, told.message, &why) < 0)
		log_message(LOG_LEVEL_WARN, "%s", why.message);
	return -1;
}

int containers_start(const struct rpc_context *context, const json_t *request, json_t **response,
		     struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };

	if (records_open(context, &records, err) < 0 ||
	    container_find(&records, json_text(request, "containerId", ""), &named, err) < 0)
		return -1;
	cleanup_fd int lock = container_lock(&records, named.id, true, err);
	if (lock < 0 || start(context, &records, &named, err) < 0)
		return -1;
	*response = json_object();
	return 0;
}

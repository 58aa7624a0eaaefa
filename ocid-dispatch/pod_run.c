/* SPDX-License-Identifier: Apache-2.0 */
/* RunPodSandbox. */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pause.h"
#include "ocid-dispatch/pod_config.h"
#include "ocid-dispatch/pod_names.h"
#include "ocid-dispatch/pod_network.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/trace.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static bool is_of_node(const json_t *config, const char *what)
{
	return strcmp(pod_mode(config, what), "NODE") == 0;
}

/* ---- making ---- */

static json_t *new_document(const char *id, const char *handler, const json_t *config)
{
	return json_pack("{s:{s:s, s:I, s:s}, s:{s:O, s:{s:{}}}}", "pod", "id", id, "created",
			 clock_wall_ns(), "handler", handler, "cri", "pod", config, "sandbox",
			 "namespaces");
}

/* Directories, and the document that says what is begun. */
static int begin(const struct records *records, json_t *document, struct error *err)
{
	const char *id = pod_id(document);
	cleanup_free char *containers = xasprintf("%s/containers", id);

	if (mkdirat(records->pods_fd, id, 0711) < 0 ||
	    mkdirat(records->pods_fd, containers, 0700) < 0 ||
	    mkdirat(records->run_pods_fd, id, 0711) < 0)
		return error_os(err, "cannot make the directories of pod %s", id);
	return pod_write(records, document, "making", RECORD_VOLATILE, err);
}

/* The /dev/shm of all containers of the pod. */
static int make_shm(const struct rpc_context *context, const struct records *records,
		    json_t *document, struct error *err)
{
	json_int_t size =
		json_integer_value(json_object_get(context->configuration->json, "shmSize"));
	cleanup_free char *path =
		xasprintf("%s/pods/%s/shm", records->store.runroot, pod_id(document));
	cleanup_free char *options = xasprintf("mode=1777,size=%" JSON_INTEGER_FORMAT, size);

	trace_command(context, "mkdir", path, NULL);
	trace_command(context, "mount", "-t", "tmpfs", "-o", options, "shm", path, NULL);
	if (mkdir(path, 0700) < 0)
		return error_os(err, "%s", path);
	if (mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return error_os(err, "cannot mount the pod's shared memory on %s", path);
	json_object_set_new(json_path(document, "cri", "sandbox", NULL), "shm", json_string(path));
	return 0;
}

static int make(const struct rpc_context *context, const struct records *records, json_t *document,
		struct error *err)
{
	const json_t *config = json_path(document, "cri", "pod", NULL);
	json_t *namespaces = json_path(document, "cri", "sandbox", "namespaces", NULL);

	if (begin(records, document, err) < 0 || pod_network_namespaces(context, document, err) < 0)
		return -1;
	if (!is_of_node(config, "ipc") && make_shm(context, records, document, err) < 0)
		return -1;
	if (strcmp(pod_mode(config, "pid"), "POD") == 0 &&
	    pause_start(context, records, pod_id(document), namespaces, err) < 0)
		return -1;
	if (!is_of_node(config, "network") && pod_network_connect(context, document, err) < 0)
		return -1;
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	return pod_write(records, document, "ready", RECORD_FIRST, err);
}

/* Take back what is there; the failure that led here is the one to tell. */
static void undo(const struct rpc_context *context, const struct records *records, const char *id)
{
	int interrupted = cli_interrupt_take();
	struct error err = { 0 };

	if (pod_remove(context, records, id, &err) < 0)
		log_message(LOG_LEVEL_WARN, "pod %s is left half-made: %s", id, err.message);
	cli_interrupt_put(interrupted);
}

int pods_run(const struct rpc_context *context, const json_t *request, json_t **response,
	     struct error *err)
{
	const json_t *config = json_object_get(request, "config");
	const char *handler = json_text(request, "runtimeHandler", "");
	cleanup_records struct records records = { 0 };
	char id[RANDOM_ID_SIZE];

	random_id(id);
	if (pod_config_check(config, err) < 0 ||
	    !configuration_runtime(context->configuration, handler, err) ||
	    records_open(context, &records, err) < 0)
		return -1;

	cleanup_pod_name struct pod_name name = { .lock_fd = -1 };
	cleanup_fd int lock = pod_lock(&records, id, LOCK_EXCLUSIVE, true, err);
	if (lock < 0)
		return -1;
	if (pod_name_claim(context, &records, config, id, &name, err) < 0) {
		lock_discard(records.store.locks_fd, "pod", id);
		return -1;
	}

	json_auto_t *document = new_document(id, handler, config);
	if (make(context, &records, document, err) < 0) {
		undo(context, &records, id);
		return -1;
	}
	*response = json_pack("{s:s}", "podSandboxId", id);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Version and Status. */
#include "ocid-dispatch/handlers.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/version.h"
#include "ocid-dispatch/pipeline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNTIME "runc"

/* The version of the CRI's VersionRequest and VersionResponse themselves. */
#define CRI_VERSION "0.1.0"

enum { RUNTIME_TIMEOUT_MS = 10000 };

int runtime_version(const struct rpc_context *context, const json_t *request, json_t **response,
		    struct error *err)
{
	(void)request;
	(void)err;
	*response = json_pack("{s:s, s:s, s:s, s:s}", "version", CRI_VERSION, "runtimeName", "ocid",
			      "runtimeVersion", OCID_VERSION, "runtimeApiVersion",
			      context->api_version);
	return 0;
}

/* 0 when the OCI runtime runs; its first line goes into `version`. */
static int check_runtime(char *version, size_t size, struct error *err)
{
	const char *const argv[] = { RUNTIME, "--version", NULL };
	const struct spawn spawn = { .argv = argv,
				     .timeout_ms = RUNTIME_TIMEOUT_MS,
				     .death_signal = SIGTERM };
	cleanup_spawn_result struct spawn_result result = { 0 };

	if (spawn_run(&spawn, &result, err) < 0)
		return -1;
	if (result.status != 0)
		return error_set(err, ERROR_FAILED, RUNTIME " --version ended with status %d",
				 result.status);
	snprintf(version, size, "%.*s", (int)strcspn(result.out, "\n"), result.out);
	return 0;
}

/* 0 when there is a network for pods; the first one that is configured is the default. */
static int check_network(const struct rpc_context *context, json_t **networks, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };

	pipeline_add(&pipeline, "ctr-net", "list", NULL);
	if (pipeline_rows(&pipeline, context, networks, err) < 0)
		return -1;
	if (json_array_size(*networks) == 0)
		return error_set(err, ERROR_NOT_FOUND,
				 "no network is configured in /etc/cni/net.d");
	return 0;
}

static json_t *condition(const char *type, int status, const char *reason, const struct error *err)
{
	if (status == 0)
		return json_pack("{s:s, s:b}", "type", type, "status", 1);
	return json_pack("{s:s, s:b, s:s, s:s}", "type", type, "status", 0, "reason", reason,
			 "message", err->message);
}

/* What verbose asks for: JSON in a string. */
static json_t *status_info(const struct rpc_context *context, const char *runtime,
			   const json_t *networks)
{
	json_auto_t *config =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:O*}", "stateDir", context->runroot, "root",
			  context->root, "version", OCID_VERSION, "runtime", RUNTIME,
			  "runtimeVersion", runtime, "networks", networks);
	cleanup_free char *text = json_compact(config);

	return json_pack("{s:s}", "config", text);
}

int runtime_status(const struct rpc_context *context, const json_t *request, json_t **response,
		   struct error *err)
{
	struct error runtime_error = { 0 }, network_error = { 0 };
	json_auto_t *networks = NULL;
	char version[128] = "";
	int runtime = check_runtime(version, sizeof version, &runtime_error);
	int network = check_network(context, &networks, &network_error);

	(void)err;
	*response = json_pack(
		"{s:{s:[o, o]}}", "status", "conditions",
		condition("RuntimeReady", runtime, "RuntimeNotReady", &runtime_error),
		condition("NetworkReady", network, "NetworkPluginNotReady", &network_error));
	if (json_is_true(json_object_get(request, "verbose")))
		json_object_set_new(*response, "info", status_info(context, version, networks));
	return 0;
}

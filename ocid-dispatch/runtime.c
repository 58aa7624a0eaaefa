/* SPDX-License-Identifier: Apache-2.0 */
/* Version, Status, and what a kubelet asks and tells of the runtime as a whole. */
#include "ocid-dispatch/runtime.h"

#include "lib/apparmor.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/version.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pod_network.h"
#include "ocid-dispatch/pods.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* Run `RUNTIME WORD`; what it says on stdout. NULL where it does not end well. */
static char *ask_runtime(const char *path, const char *word, struct error *err)
{
	const char *const argv[] = { path, word, NULL };
	const struct spawn spawn = { .argv = argv,
				     .timeout_ms = RUNTIME_TIMEOUT_MS,
				     .death_signal = SIGTERM };
	cleanup_spawn_result struct spawn_result result = { 0 };

	if (spawn_run(&spawn, &result, err) < 0)
		return NULL;
	if (result.status == 0)
		return steal_ptr(&result.out);
	error_set(err, ERROR_FAILED, "%s %s ended with status %d", path, word, result.status);
	return NULL;
}

/* 0 when the default OCI runtime runs; its first line goes into `version`. */
static int check_runtime(const struct rpc_context *context, char *version, size_t size,
			 struct error *err)
{
	const char *path = configuration_runtime(context->configuration, "", err);
	cleanup_free char *text = path ? ask_runtime(path, "--version", err) : NULL;

	if (!text)
		return -1;
	snprintf(version, size, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

/* What a runtime can do, as it says itself (runtime-spec, features.md); one that says nothing can
 * do neither. */
json_t *runtime_features(const char *path)
{
	struct error ignored;
	cleanup_free char *text = ask_runtime(path, "features", &ignored);
	json_auto_t *features = text ? json_parse(text, strlen(text), "features", &ignored) : NULL;
	bool recursive = json_has_text(json_object_get(features, "mountOptions"), "rro");
	/* kubelets also want the mounts of such a pod mapped */
	bool mapped = json_is_true(
		json_path(features, "linux", "mountExtensions", "idmap", "enabled", NULL));

	return json_pack("{s:b, s:b}", "recursiveReadOnlyMounts", recursive, "userNamespaces",
			 mapped);
}

/* Every handler of the configuration, and the default one also under the name "". */
static json_t *handlers(const struct rpc_context *context)
{
	const json_t *configuration = context->configuration->json;
	const char *by_default = json_text(configuration, "defaultRuntime", ""), *name;
	json_t *list = json_array(), *runtime;

	json_object_foreach (json_object_get(configuration, "runtimes"), name, runtime) {
		json_auto_t *features = runtime_features(json_text(runtime, "path", ""));

		json_array_append_new(list,
				      json_pack("{s:s, s:O}", "name", name, "features", features));
		if (strcmp(name, by_default) == 0)
			json_array_insert_new(
				list, 0, json_pack("{s:s, s:O}", "name", "", "features", features));
	}
	return list;
}

static json_t *condition(const char *type, int status, const char *reason, struct error *err)
{
	if (status == 0)
		return json_pack("{s:s, s:b}", "type", type, "status", 1);
	rpc_add_hint(err);
	return json_pack("{s:s, s:b, s:s, s:s}", "type", type, "status", 0, "reason", reason,
			 "message", err->message);
}

/* What verbose asks for: JSON in a string. */
static json_t *status_info(const struct rpc_context *context, const char *runtime)
{
	struct error ignored;
	json_auto_t *networks = pod_network_list(context, &ignored);
	bool apparmor = apparmor_enabled();
	json_auto_t *config =
		json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:O*, s:O}", "stateDir", context->runroot,
			  "root", context->root, "version", OCID_VERSION, "runtimeVersion", runtime,
			  "apparmorEnabled", apparmor, "apparmorDefaultLoaded",
			  apparmor && apparmor_presence(APPARMOR_DEFAULT) == APPARMOR_LOADED,
			  "networks", networks, "configuration", context->configuration->json);
	cleanup_free char *text = json_compact(config);

	return json_pack("{s:s}", "config", text);
}

int runtime_status(const struct rpc_context *context, const json_t *request, json_t **response,
		   struct error *err)
{
	struct error runtime_error = { 0 }, network_error = { 0 };
	char version[128] = "";
	int runtime = check_runtime(context, version, sizeof version, &runtime_error);
	int network = pod_network_check(context, &network_error);

	(void)err;
	*response = json_pack(
		"{s:{s:[o, o]}, s:o, s:{s:b, s:b, s:b}}", "status", "conditions",
		condition("RuntimeReady", runtime, "RuntimeNotReady", &runtime_error),
		condition("NetworkReady", network, "NetworkPluginNotReady", &network_error),
		"runtimeHandlers", handlers(context), "features", "supplementalGroupsPolicy", 1,
		"userNamespacesHostNetwork", 1, "mountOptions", 1);
	if (json_flag(request, "verbose"))
		json_object_set_new(*response, "info", status_info(context, version));
	return 0;
}

int runtime_config(const struct rpc_context *context, const json_t *request, json_t **response,
		   struct error *err)
{
	(void)request;
	(void)err;
	*response = json_pack("{s:{s:s}}", "linux", "cgroupDriver",
			      configuration_uses_systemd(context->configuration) ? "SYSTEMD"
										 : "CGROUPFS");
	return 0;
}

/* The one thing that it can say is the range of the pods' addresses, which are for the networks'
 * own configuration to give. */
int runtime_update_config(const struct rpc_context *context, const json_t *request,
			  json_t **response, struct error *err)
{
	(void)context;
	(void)request;
	(void)err;
	*response = json_object();
	return 0;
}

/* The kubelet has changed the pod's cgroup itself, and tells us what stands there now. */
int pods_update_resources(const struct rpc_context *context, const json_t *request,
			  json_t **response, struct error *err)
{
	static const char *const keys[] = { "overhead", "resources", NULL };
	cleanup_records struct records records = { 0 };

	if (records_open(context, &records, err) < 0)
		return -1;
	cleanup_free char *id = pod_find(&records, json_text(request, "podSandboxId", ""), err);
	cleanup_fd int lock = id ? pod_lock(&records, id, LOCK_EXCLUSIVE, true, err) : -1;
	json_auto_t *document = lock < 0 ? NULL : pod_read(&records, id, err);
	if (!document)
		return -1;
	json_t *config = json_path(document, "cri", "pod", NULL);
	if (!json_object_get(config, "linux"))
		json_object_set_new(config, "linux", json_object());
	for (const char *const *key = keys; *key; key++) {
		json_t *value = json_object_get(request, *key);

		if (value)
			json_object_set(json_object_get(config, "linux"), *key, value);
	}
	if (pod_write(&records, document, pod_stage(document), RECORD_DURABLE, err) < 0)
		return -1;
	*response = json_object();
	return 0;
}

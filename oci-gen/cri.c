/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/cri.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/image.h"
#include "oci-gen/network.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* command stands for the image's entrypoint and its command, args for its command only. */
static void apply_command(struct generation *g, const json_t *container)
{
	json_t *command = json_object_get(container, "command");
	json_t *args = json_object_get(container, "args");

	if (command) {
		json_decref(g->entrypoint);
		g->entrypoint = json_incref(command);
	}
	if (command || args) {
		json_decref(g->command);
		g->command = args ? json_incref(args) : json_array();
	}
}

static int apply_environment(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *item;
	const char *hostname = json_text(json_object_get(cri, "pod"), "hostname", NULL);
	size_t i;

	if (hostname && !json_object_get(g->environment, "HOSTNAME")) {
		cleanup_free char *assignment = xasprintf("HOSTNAME=%s", hostname);

		generation_set_env(g, assignment);
	}
	json_array_foreach (json_path(cri, "container", "envs", NULL), i, item) {
		const char *key = json_text(item, "key", "");
		cleanup_free char *assignment =
			xasprintf("%s=%s", key, json_text(item, "value", ""));

		if (!*key || strchr(key, '='))
			return error_set(err, ERROR_INTEGRITY,
					 "the document's cri.container.envs[%zu].key is not the "
					 "name of a variable",
					 i);
		generation_set_env(g, assignment);
	}
	return 0;
}

static void apply_annotations(struct generation *g, const json_t *container)
{
	json_t *annotations = pointer_object(g->config, "/annotations"), *value;
	const char *key;

	json_object_foreach (json_object_get(container, "annotations"), key, value) {
		if (image_annotation_is_order(key))
			log_message(LOG_LEVEL_WARN,
				    "the annotation \"%s\" would be an order to the runtime: left "
				    "out (--annotation sets it)",
				    key);
		else if (*key)
			json_object_set(annotations, key, value);
	}
}

/* "SIGNAL_SIGRTMINPLUS1" is SIGRTMIN+1 elsewhere. */
static int apply_stop_signal(struct generation *g, const json_t *container, struct error *err)
{
	static const char prefix[] = "SIGNAL_SIG";
	const char *text = json_text(container, "stopSignal", "SIGNAL_RUNTIME_DEFAULT");
	const char *plus = strstr(text, "PLUS"), *minus = strstr(text, "MINUS");

	if (strcmp(text, "SIGNAL_RUNTIME_DEFAULT") == 0)
		return 0;
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return error_set(err, ERROR_INTEGRITY,
				 "the document's cri.container.stopSignal is not a Signal of CRI");

	const char *bare = text + strlen("SIGNAL_");
	const char *sign = plus ? plus : minus;
	cleanup_free char *name =
		sign ? xasprintf("%.*s%c%s", (int)(sign - bare), bare, plus ? '+' : '-',
				 sign + strlen(plus ? "PLUS" : "MINUS"))
		     : xstrdup(bare);
	json_object_set_new(pointer_object(g->config, "/annotations"),
			    "org.opencontainers.image.stopSignal", json_string(name));
	return 0;
}

/* A limit that is 0 is not set. */
static void apply_resources(struct generation *g, const json_t *resources)
{
	static const struct {
		const char *key, *pointer;
	} members[] = {
		{ "cpuPeriod", "/linux/resources/cpu/period" },
		{ "cpuQuota", "/linux/resources/cpu/quota" },
		{ "cpuShares", "/linux/resources/cpu/shares" },
		{ "cpusetCpus", "/linux/resources/cpu/cpus" },
		{ "cpusetMems", "/linux/resources/cpu/mems" },
		{ "memoryLimitInBytes", "/linux/resources/memory/limit" },
		{ "memorySwapLimitInBytes", "/linux/resources/memory/swap" },
		{ "unified", "/linux/resources/unified" },
	};
	const json_t *page;
	size_t i;

	if (!resources)
		return;
	for (i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *value = json_object_get(resources, members[i].key);

		if (value)
			pointer_set(g->config, members[i].pointer, json_incref(value));
	}
	json_array_foreach (json_object_get(resources, "hugepageLimits"), i, page) {
		json_array_append_new(pointer_array(g->config, "/linux/resources/hugepageLimits"),
				      json_pack("{s:s, s:I}", "pageSize",
						json_text(page, "pageSize", ""), "limit",
						cri_number(page, "limit")));
	}
	setting_oom_score_adj(g, cri_number(resources, "oomScoreAdj"),
			      "cri.container.linux.resources.oomScoreAdj");
}

/* A parent that is a slice is systemd's: "SLICE:PREFIX:NAME", as the runtime then takes it. */
static void apply_cgroup(struct generation *g, const json_t *cri, const char *id)
{
	static const char suffix[] = ".slice";
	const char *parent =
		json_string_value(json_path(cri, "pod", "linux", "cgroupParent", NULL));
	const char *slash = parent ? strrchr(parent, '/') : NULL;
	size_t length = parent ? strlen(parent) : 0;

	if (!parent)
		return;

	bool slice =
		length > strlen(suffix) && strcmp(parent + length - strlen(suffix), suffix) == 0;
	cleanup_free char *path = slice ? xasprintf("%s:ocid:%s", slash ? slash + 1 : parent, id)
					: xasprintf("%s/%s", parent, id);
	pointer_set(g->config, "/linux/cgroupsPath", json_string(path));
}

/* The parts that are single members. */
static int apply_members(struct generation *g, const json_t *cri, const char *id, struct error *err)
{
	const json_t *container = json_object_get(cri, "container");
	const char *directory = json_text(container, "workingDir", NULL);
	const char *hostname = json_text(json_object_get(cri, "pod"), "hostname", NULL);
	json_t *sysctls = json_path(cri, "pod", "linux", "sysctls", NULL);

	if (directory)
		pointer_set(g->config, "/process/cwd", json_string(directory));
	if (hostname)
		pointer_set(g->config, "/hostname", json_string(hostname));
	if (cri_flag(container, "tty"))
		pointer_set(g->config, "/process/terminal", json_true());
	if (sysctls)
		pointer_set(g->config, "/linux/sysctl", json_incref(sysctls));
	apply_command(g, container);
	apply_annotations(g, container);
	apply_cgroup(g, cri, id);
	apply_resources(g, json_path(container, "linux", "resources", NULL));
	if (apply_environment(g, cri, err) < 0)
		return -1;
	return apply_stop_signal(g, container, err);
}

int cri_apply(struct generation *g, json_t *cri, const char *id, const char *bundle, bool network,
	      struct error *err)
{
	json_decref(g->cri);
	g->cri = cri;
	if (!json_object_get(cri, "container") || !json_object_get(cri, "pod"))
		return error_set(err, ERROR_INTEGRITY,
				 "the document's cri lacks \"pod\" or \"container\"");
	if (bundle && !network)
		network_bind_files(g, bundle);
	if (apply_members(g, cri, id, err) < 0 || cri_apply_namespaces(g, cri, network, err) < 0 ||
	    cri_apply_security(g, cri, err) < 0)
		return -1;
	return cri_apply_mounts(g, cri, err);
}

/* Make the namespace new, or the one at a path, or none of its own where path is "". */
static void put_namespace(struct generation *g, const char *type, const char *path)
{
	json_t *namespaces = pointer_array(g->config, "/linux/namespaces");
	json_t *entry = json_pack("{s:s}", "type", type);

	json_array_remove(namespaces, setting_find(namespaces, "type", type));
	if (path && *path)
		json_object_set_new(entry, "path", json_string(path));
	if (path && !*path)
		json_decref(entry);
	else
		json_array_append_new(namespaces, entry);
}

/* Join what the pod has, which only the caller knows. */
static int join(struct generation *g, const json_t *cri, const char *type, const char *key,
		struct error *err)
{
	const char *path = json_text(json_path(cri, "sandbox", "namespaces", NULL), key, "");

	if (path[0] != '/') {
		error_set(err, ERROR_USAGE, "the %s namespace to join is not known", type);
		return error_hint(err, "the document's cri.sandbox.namespaces.%s is its path", key);
	}
	put_namespace(g, type, path);
	return 0;
}

static int apply_mode(struct generation *g, const json_t *cri, const char *type, const char *mode,
		      struct error *err)
{
	if (strcmp(mode, "NODE") == 0)
		put_namespace(g, type, "");
	else if (strcmp(mode, "CONTAINER") == 0)
		put_namespace(g, type, NULL);
	else
		return join(g, cri, type, strcmp(mode, "TARGET") == 0 ? "target" : type, err);
	return 0;
}

/* The host name is one of the pod's UTS namespace; a pod with the host's network has the host's. */
static int apply_uts(struct generation *g, const json_t *cri, bool host_network, struct error *err)
{
	if (host_network)
		put_namespace(g, "uts", "");
	else if (json_path(cri, "sandbox", "namespaces", "uts", NULL)) {
		if (join(g, cri, "uts", "uts", err) < 0)
			return -1;
	} else {
		return 0;
	}
	pointer_remove(g->config, "/hostname");
	return 0;
}

int cri_apply_namespaces(struct generation *g, const json_t *cri, bool network, struct error *err)
{
	const json_t *options =
		json_path(cri, "container", "linux", "securityContext", "namespaceOptions", NULL);
	const json_t *user = json_object_get(options, "usernsOptions");
	const char *net = json_text(options, "network", "POD");
	const char *pid = json_text(options, "pid", "POD");
	const char *ipc = json_text(options, "ipc", "POD");
	bool host_network = strcmp(net, "NODE") == 0;

	if (user && strcmp(json_text(user, "mode", "POD"), "NODE") != 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "user namespaces of pods are not supported by this version");
	if (host_network && network)
		return error_set(err, ERROR_INTEGRITY,
				 "the document has a network, but cri asks for that of the node");
	if (strcmp(ipc, "CONTAINER") == 0 || strcmp(ipc, "TARGET") == 0 ||
	    strcmp(net, "CONTAINER") == 0 || strcmp(net, "TARGET") == 0)
		return error_set(err, ERROR_INTEGRITY,
				 "cri has network and ipc namespaces of pods and of the node only");
	if (!network && apply_mode(g, cri, "network", net, err) < 0)
		return -1;
	if (apply_mode(g, cri, "pid", pid, err) < 0 || apply_mode(g, cri, "ipc", ipc, err) < 0)
		return -1;
	return apply_uts(g, cri, host_network, err);
}

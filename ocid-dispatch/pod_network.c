/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_network.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/memory_file.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pod_bandwidth.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/rpc.h"

#include <ctype.h>
#include <string.h>

/* ---- namespaces ---- */

/* The one mapping of ids that a pod's user namespace has. */
static int add_map(struct strings *words, const char *option, const json_t *mappings,
		   struct error *err)
{
	const json_t *map = json_array_get(mappings, 0);
	json_int_t container = json_integer_value(json_object_get(map, "containerId"));
	json_int_t host = json_integer_value(json_object_get(map, "hostId"));
	json_int_t length = json_integer_value(json_object_get(map, "length"));

	if (json_array_size(mappings) != 1)
		return error_set(err, ERROR_USAGE,
				 "a pod's user namespace has one mapping of users and one of "
				 "groups");
	if (container != 0 || length == 0)
		return error_set(err, ERROR_USAGE,
				 "the mapping of a pod's user namespace begins with the "
				 "container's id 0");
	strings_add(words, option);
	strings_addf(words,
		     "%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
		     container, host, length);
	return 0;
}

static int add_user(struct strings *words, const json_t *options, struct error *err)
{
	const char *mode = json_text(options, "mode", "POD");
	json_t *uids = json_object_get(options, "uids"), *gids = json_object_get(options, "gids");

	if (!options)
		return 0;
	if (strcmp(mode, "NODE") == 0) {
		if (json_array_size(uids) + json_array_size(gids) > 0)
			return error_set(err, ERROR_USAGE,
					 "the user namespace of the node cannot be mapped");
		return 0;
	}
	if (strcmp(mode, "POD") != 0)
		return error_set(err, ERROR_USAGE,
				 "a pod's user namespace is its own or the node's, not of mode %s",
				 mode);
	if (!json_equal(uids, gids))
		return error_set(err, ERROR_USAGE,
				 "the mappings of users and of groups must be the same");
	strings_add(words, "--user");
	if (add_map(words, "--uidmap", uids, err) < 0)
		return -1;
	return add_map(words, "--gidmap", gids, err);
}

static void add_sysctls(struct strings *words, const json_t *config)
{
	json_t *sysctls = json_path(config, "linux", "sysctls", NULL), *value;
	const char *key;

	json_object_foreach (sysctls, key, value) {
		strings_add(words, "--sysctl");
		strings_addf(words, "%s=%s", key, json_string_value(value));
	}
}

/* The words for all namespaces that are the pod's own. *any: whether there is one. */
static int add_namespaces(struct strings *words, const json_t *config, bool *any, struct error *err)
{
	const char *hostname = json_text(config, "hostname", NULL);
	const json_t *options = json_path(config, "linux", "securityContext", "namespaceOptions",
					  "usernsOptions", NULL);
	bool net = strcmp(pod_mode(config, "network"), "NODE") != 0;
	bool ipc = strcmp(pod_mode(config, "ipc"), "NODE") != 0;
	size_t before = words->count;

	strings_add(words, net ? "--net" : "--no-net");
	if (ipc)
		strings_add(words, "--ipc");
	if (net)
		strings_add(words, "--uts");
	if (net && hostname) {
		strings_add(words, "--hostname");
		strings_add(words, hostname);
	}
	if (add_user(words, options, err) < 0)
		return -1;
	*any = net || words->count > before + 1;
	add_sysctls(words, config);
	return 0;
}

static void note(json_t *namespaces, const char *type, const json_t *made, const char *key)
{
	json_t *path = json_object_get(made, key);

	if (path)
		json_object_set(namespaces, type, path);
}

int pod_network_namespaces(const struct rpc_context *context, json_t *document, struct error *err)
{
	const json_t *config = json_path(document, "cri", "pod", NULL);
	json_t *namespaces = json_path(document, "cri", "sandbox", "namespaces", NULL);
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct strings *words =
		pipeline_add(&pipeline, "ctr-net", "ns", "create", pod_id(document), NULL);
	json_auto_t *made = NULL;
	bool any;

	if (add_namespaces(words, config, &any, err) < 0)
		return -1;
	if (!any)
		return 0;
	if (pipeline_document(&pipeline, context, &made, err) < 0)
		return -1;
	note(namespaces, "network", made, "netns");
	note(namespaces, "ipc", made, "ipcns");
	note(namespaces, "uts", made, "utsns");
	note(namespaces, "user", made, "userns");
	return 0;
}

/* ---- CNI ---- */

static void add_directories(struct strings *words, const struct rpc_context *context,
			    const char *option, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_path(context->configuration->json, "network", key, NULL), i,
			    item) {
		strings_add(words, option);
		strings_add(words, json_string_value(item));
	}
}

int pod_network_check(const struct rpc_context *context, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	/* kubelets ask all the time, and what the warnings tell of hinders nobody; nor must a
	 * plugin that hangs make the runtime seem to */
	struct strings *words = pipeline_add(&pipeline, "ctr-net", "status", "--timeout", "10",
					     "--log-level", "error", NULL);

	add_directories(words, context, "--conf-dir", "confDirs");
	add_directories(words, context, "--plugin-dir", "pluginDirs");
	return pipeline_run(&pipeline, context, err);
}

json_t *pod_network_list(const struct rpc_context *context, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_t *networks = NULL;

	add_directories(pipeline_add(&pipeline, "ctr-net", "list", NULL), context, "--conf-dir",
			"confDirs");
	return pipeline_rows(&pipeline, context, &networks, err) < 0 ? NULL : networks;
}

static void add_capability(struct strings *words, const char *name, const json_t *value)
{
	cleanup_free char *text = json_compact(value);

	strings_add(words, "--cap");
	strings_addf(words, "%s=%s", name, text);
}

/* What the plugin portmap takes (CNI conventions, "portMappings"). */
static json_t *port_mappings(const json_t *config)
{
	json_t *list = json_array(), *mapping;
	size_t i;

	json_array_foreach (json_object_get(config, "portMappings"), i, mapping) {
		json_t *host_port = json_object_get(mapping, "hostPort");
		cleanup_free char *protocol = xstrdup(json_text(mapping, "protocol", "TCP"));

		if (!host_port)
			continue;
		for (char *c = protocol; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		json_array_append_new(list, json_pack("{s:O, s:O*, s:s, s:s}", "hostPort",
						      host_port, "containerPort",
						      json_object_get(mapping, "containerPort"),
						      "protocol", protocol, "hostIP",
						      json_text(mapping, "hostIp", "")));
	}
	return list;
}

static int add_capabilities(struct strings *words, const json_t *config, struct error *err)
{
	json_auto_t *ports = port_mappings(config);
	json_auto_t *bandwidth = pod_bandwidth(json_object_get(config, "annotations"), err);
	const json_t *dns = json_object_get(config, "dnsConfig");
	const json_t *cgroup = json_path(config, "linux", "cgroupParent", NULL);

	if (!bandwidth)
		return -1;
	if (json_array_size(ports) > 0)
		add_capability(words, "portMappings", ports);
	if (json_object_size(bandwidth) > 0)
		add_capability(words, "bandwidth", bandwidth);
	if (json_object_size(dns) > 0)
		add_capability(words, "dns", dns);
	if (json_string_length(cgroup) > 0)
		add_capability(words, "cgroupPath", cgroup);
	return 0;
}

/* The annotations as a file, since they may be longer (256 KiB) than an argument (128 KiB); *fd is
 * of that. */
static int add_annotations(struct strings *words, const json_t *config, int *fd, struct error *err)
{
	const json_t *annotations = json_object_get(config, "annotations");
	cleanup_free char *text =
		json_object_size(annotations) > 0 ? json_compact(annotations) : NULL;

	if (!text)
		return 0;
	*fd = memory_file("annotations", text, err);
	if (*fd < 0)
		return -1;
	strings_add(words, "--cap");
	strings_addf(words, "io.kubernetes.cri.pod-annotations=@/dev/fd/%d", *fd);
	return 0;
}

/* As kubelets had them given to plugins ever since. */
static void add_arguments(struct strings *words, const json_t *config, const char *id)
{
	static const char *const keys[][2] = { { "K8S_POD_NAMESPACE", "namespace" },
					       { "K8S_POD_NAME", "name" },
					       { "K8S_POD_UID", "uid" } };
	const json_t *metadata = json_object_get(config, "metadata");

	strings_add(words, "--arg");
	strings_add(words, "IgnoreUnknown=1");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		strings_add(words, "--arg");
		strings_addf(words, "%s=%s", keys[i][0], json_text(metadata, keys[i][1], ""));
	}
	strings_add(words, "--arg");
	strings_addf(words, "K8S_POD_INFRA_CONTAINER_ID=%s", id);
}

int pod_network_connect(const struct rpc_context *context, json_t *document, struct error *err)
{
	const json_t *config = json_path(document, "cri", "pod", NULL);
	const char *id = pod_id(document);
	cleanup_pipeline struct pipeline pipeline = { .input = document };
	struct strings *words = pipeline_add(&pipeline, "ctr-net", "add", "--id", id, NULL);
	json_auto_t *connected = NULL;
	cleanup_fd int annotations_fd = -1;

	add_directories(words, context, "--conf-dir", "confDirs");
	add_directories(words, context, "--plugin-dir", "pluginDirs");
	add_arguments(words, config, id);
	if (add_capabilities(words, config, err) < 0 ||
	    add_annotations(words, config, &annotations_fd, err) < 0)
		return -1;
	pipeline.pass_fd = annotations_fd;
	if (pipeline_document(&pipeline, context, &connected, err) < 0)
		return -1;
	json_object_set(document, "network", json_object_get(connected, "network"));
	return 0;
}

int pod_network_remove(const struct rpc_context *context, const char *id, struct error *err)
{
	cleanup_pipeline struct pipeline del = { 0 }, rm = { 0 };

	add_directories(pipeline_add(&del, "ctr-net", "del", "--id", id, NULL), context,
			"--conf-dir", "confDirs");
	pipeline_add(&rm, "ctr-net", "ns", "rm", "--force", id, NULL);
	if (pipeline_run(&del, context, err) < 0)
		return -1;
	return pipeline_run(&rm, context, err);
}

json_t *pod_network_addresses(const json_t *document)
{
	const json_t *attachments = json_path(document, "network", "attachments", NULL), *ip;
	const json_t *result = json_object_get(json_array_get(attachments, 0), "result");
	json_t *addresses = json_array();
	size_t i;

	json_array_foreach (json_object_get(result, "ips"), i, ip) {
		const char *text = json_text(ip, "address", "");

		if (*text)
			json_array_append_new(addresses, json_stringn(text, strcspn(text, "/")));
	}
	return addresses;
}

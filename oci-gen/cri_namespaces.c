/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces of a container of a pod, and the ids of its user namespace. */
#include "lib/json.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"

#include <stdint.h>
#include <string.h>

static const json_t *namespace_options(const json_t *cri, const char *whose)
{
	return json_path(cri, whose, "linux", "securityContext", "namespaceOptions", NULL);
}

const char *cri_namespace_mode(const json_t *cri, const char *key)
{
	const json_t *pod = namespace_options(cri, "pod");
	const char *mode = json_text(namespace_options(cri, "container"), key, "POD");

	return strcmp(mode, "POD") == 0 ? json_text(pod, key, "POD") : mode;
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

int cri_mappings(const json_t *list, const char *at, json_t **ret, struct error *err)
{
	json_auto_t *mappings = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		json_int_t host = cri_number(item, "hostId");
		json_int_t inside = cri_number(item, "containerId");
		json_int_t length = cri_number(item, "length");

		if (host < 0 || inside < 0 || length < 1 || host > UINT32_MAX ||
		    inside > UINT32_MAX || length > UINT32_MAX || host + length > UINT32_MAX ||
		    inside + length > UINT32_MAX)
			return error_set(err, ERROR_INTEGRITY, "%s[%zu] is not a range of ids", at,
					 i);
		json_array_append_new(mappings, json_pack("{s:I, s:I, s:I}", "hostID", host,
							  "containerID", inside, "size", length));
	}
	*ret = json_incref(mappings);
	return 0;
}

/* CRI has one mapping, and root must be in it. */
static int apply_mapping(struct generation *g, const json_t *options, const char *key,
			 const char *pointer, struct error *err)
{
	const json_t *list = json_object_get(options, key);
	json_t *mappings = NULL;

	if (json_array_size(list) != 1 || cri_number(json_array_get(list, 0), "containerId") != 0)
		return error_set(err, ERROR_INTEGRITY,
				 "the document's usernsOptions.%s is not one mapping from the "
				 "container's id 0",
				 key);
	if (cri_mappings(list, key, &mappings, err) < 0)
		return -1;
	pointer_set(g->config, pointer, mappings);
	return 0;
}

/* sysfs cannot be mounted anew where the network namespace belongs to another user namespace. */
static void bind_host_sys(struct generation *g)
{
	generation_put_mount(
		g, mount_new("/sys", "bind", "/sys", "rbind,rslave,nosuid,noexec,nodev,ro"));
}

/* *ret is the UserNamespace of the pod that asks for one, else NULL: the kubelet says the same of a
 * pod and of its containers. */
static int find_user(const json_t *cri, const json_t *options, const json_t **ret,
		     struct error *err)
{
	const json_t *user = json_object_get(options, "usernsOptions");
	const json_t *pod = json_object_get(namespace_options(cri, "pod"), "usernsOptions");
	const char *mode = json_text(user ? user : pod, "mode", "POD");

	if (user && pod && !json_equal(user, pod))
		return error_set(err, ERROR_INTEGRITY,
				 "the document's pod and container differ in usernsOptions");
	*ret = user ? user : pod;
	if (!*ret || strcmp(mode, "POD") == 0)
		return 0;
	if (strcmp(mode, "NODE") != 0)
		return error_set(err, ERROR_INTEGRITY,
				 "cri has user namespaces of pods and of the node only");
	if (json_object_get(*ret, "uids") || json_object_get(*ret, "gids"))
		return error_set(err, ERROR_INTEGRITY,
				 "the document's usernsOptions maps ids for the node's namespace");
	*ret = NULL;
	return 0;
}

/* The pod's user namespace; its mappings are for runtimes that do not read them from its path. */
static int apply_user(struct generation *g, const json_t *cri, const json_t *options,
		      bool host_network, struct error *err)
{
	const json_t *user = NULL;

	if (find_user(cri, options, &user, err) < 0)
		return -1;
	if (!user)
		return 0;
	if (strcmp(cri_namespace_mode(cri, "pid"), "NODE") == 0 ||
	    strcmp(cri_namespace_mode(cri, "ipc"), "NODE") == 0)
		return error_set(
			err, ERROR_UNSUPPORTED,
			"a user namespace excludes the pid and ipc namespaces of the node");
	if (apply_mapping(g, user, "uids", "/linux/uidMappings", err) < 0 ||
	    apply_mapping(g, user, "gids", "/linux/gidMappings", err) < 0)
		return -1;
	if (host_network)
		bind_host_sys(g);
	return join(g, cri, "user", "user", err);
}

int cri_apply_namespaces(struct generation *g, const json_t *cri, bool network, struct error *err)
{
	const json_t *options = namespace_options(cri, "container");
	const char *net = cri_namespace_mode(cri, "network");
	const char *ipc = cri_namespace_mode(cri, "ipc");
	bool host_network = strcmp(net, "NODE") == 0;

	if (host_network && network)
		return error_set(err, ERROR_INTEGRITY,
				 "the document has a network, but cri asks for that of the node");
	if (strcmp(ipc, "CONTAINER") == 0 || strcmp(ipc, "TARGET") == 0 ||
	    strcmp(net, "CONTAINER") == 0 || strcmp(net, "TARGET") == 0)
		return error_set(err, ERROR_INTEGRITY,
				 "cri has network and ipc namespaces of pods and of the node only");
	if (apply_user(g, cri, options, host_network, err) < 0)
		return -1;
	if (!network && apply_mode(g, cri, "network", net, err) < 0)
		return -1;
	if (apply_mode(g, cri, "pid", cri_namespace_mode(cri, "pid"), err) < 0 ||
	    apply_mode(g, cri, "ipc", ipc, err) < 0)
		return -1;
	return apply_uts(g, cri, host_network, err);
}

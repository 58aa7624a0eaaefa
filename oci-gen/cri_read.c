/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of CRI v1 that describe a container, as tables, and their JSON made plain. */
#include "oci-gen/cri.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, BYTES, NUMBER, BOOLEAN, ENUMERATION, MESSAGE, MAP };

struct member {
	const char *name;
	enum kind kind;
	bool repeated;
	const struct member *members; /* of a MESSAGE; ends with a row without a name */
	const char *const *values;    /* of an ENUMERATION, by number */
	bool unsupported;	      /* anything but the default is refused */
};

#define VALUES(...)                                                                                \
	.values = (const char *const[])                                                            \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static const struct member image[] = {
	{ "image", .kind = TEXT },
	{ "annotations", .kind = MAP },
	{ "userSpecifiedImage", .kind = TEXT },
	{ "runtimeHandler", .kind = TEXT },
	{ "imageRef", .kind = TEXT },
	{ 0 },
};
static const struct member metadata[] = {
	{ "name", .kind = TEXT },
	{ "uid", .kind = TEXT },
	{ "namespace", .kind = TEXT },
	{ "attempt", .kind = NUMBER },
	{ 0 },
};
static const struct member key_value[] = { { "key", .kind = TEXT },
					   { "value", .kind = BYTES },
					   { 0 } };
static const struct member id_mapping[] = {
	{ "hostId", .kind = NUMBER },
	{ "containerId", .kind = NUMBER },
	{ "length", .kind = NUMBER },
	{ 0 },
};
static const struct member mount[] = {
	{ "containerPath", .kind = TEXT },
	{ "hostPath", .kind = TEXT },
	{ "readonly", .kind = BOOLEAN },
	{ "selinuxRelabel", .kind = BOOLEAN },
	{ "propagation", .kind = ENUMERATION,
	  VALUES("PROPAGATION_PRIVATE", "PROPAGATION_HOST_TO_CONTAINER",
		 "PROPAGATION_BIDIRECTIONAL") },
	{ "uidMappings", .kind = MESSAGE, .repeated = true, .members = id_mapping },
	{ "gidMappings", .kind = MESSAGE, .repeated = true, .members = id_mapping },
	{ "recursiveReadOnly", .kind = BOOLEAN },
	{ "image", .kind = MESSAGE, .members = image },
	{ "imageSubPath", .kind = TEXT },
	{ "mountOptions", .kind = TEXT, .repeated = true },
	{ 0 },
};
static const struct member device[] = {
	{ "containerPath", .kind = TEXT },
	{ "hostPath", .kind = TEXT },
	{ "permissions", .kind = TEXT },
	{ 0 },
};
static const struct member cdi_device[] = { { "name", .kind = TEXT }, { 0 } };
static const struct member huge_page[] = { { "pageSize", .kind = TEXT },
					   { "limit", .kind = NUMBER },
					   { 0 } };
static const struct member resources[] = {
	{ "cpuPeriod", .kind = NUMBER },
	{ "cpuQuota", .kind = NUMBER },
	{ "cpuShares", .kind = NUMBER },
	{ "memoryLimitInBytes", .kind = NUMBER },
	{ "oomScoreAdj", .kind = NUMBER },
	{ "cpusetCpus", .kind = TEXT },
	{ "cpusetMems", .kind = TEXT },
	{ "hugepageLimits", .kind = MESSAGE, .repeated = true, .members = huge_page },
	{ "unified", .kind = MAP },
	{ "memorySwapLimitInBytes", .kind = NUMBER },
	{ 0 },
};
static const struct member capability[] = {
	{ "addCapabilities", .kind = TEXT, .repeated = true },
	{ "dropCapabilities", .kind = TEXT, .repeated = true },
	{ "addAmbientCapabilities", .kind = TEXT, .repeated = true },
	{ 0 },
};
#define NAMESPACE_MODES VALUES("POD", "CONTAINER", "NODE", "TARGET")
static const struct member user_namespace[] = {
	{ "mode", .kind = ENUMERATION, NAMESPACE_MODES },
	{ "uids", .kind = MESSAGE, .repeated = true, .members = id_mapping },
	{ "gids", .kind = MESSAGE, .repeated = true, .members = id_mapping },
	{ 0 },
};
static const struct member namespace_option[] = {
	{ "network", .kind = ENUMERATION, NAMESPACE_MODES },
	{ "pid", .kind = ENUMERATION, NAMESPACE_MODES },
	{ "ipc", .kind = ENUMERATION, NAMESPACE_MODES },
	{ "targetId", .kind = TEXT },
	{ "usernsOptions", .kind = MESSAGE, .members = user_namespace },
	{ 0 },
};
static const struct member selinux[] = {
	{ "user", .kind = TEXT },
	{ "role", .kind = TEXT },
	{ "type", .kind = TEXT },
	{ "level", .kind = TEXT },
	{ 0 },
};
static const struct member wrapped_number[] = { { "value", .kind = NUMBER }, { 0 } };
static const struct member security_profile[] = {
	{ "profileType", .kind = ENUMERATION, VALUES("RuntimeDefault", "Unconfined", "Localhost") },
	{ "localhostRef", .kind = TEXT },
	{ 0 },
};
/* what a pod and a container have in common; `capabilities` and what follows it, a pod has not */
static const struct member security[] = {
	{ "capabilities", .kind = MESSAGE, .members = capability },
	{ "privileged", .kind = BOOLEAN },
	{ "namespaceOptions", .kind = MESSAGE, .members = namespace_option },
	{ "selinuxOptions", .kind = MESSAGE, .members = selinux },
	{ "runAsUser", .kind = MESSAGE, .members = wrapped_number },
	{ "runAsGroup", .kind = MESSAGE, .members = wrapped_number },
	{ "runAsUsername", .kind = TEXT },
	{ "readonlyRootfs", .kind = BOOLEAN },
	{ "supplementalGroups", .kind = NUMBER, .repeated = true },
	{ "supplementalGroupsPolicy", .kind = ENUMERATION, VALUES("Merge", "Strict") },
	{ "noNewPrivs", .kind = BOOLEAN },
	{ "maskedPaths", .kind = TEXT, .repeated = true },
	{ "readonlyPaths", .kind = TEXT, .repeated = true },
	{ "seccomp", .kind = MESSAGE, .members = security_profile },
	{ "apparmor", .kind = MESSAGE, .members = security_profile },
	{ "apparmorProfile", .kind = TEXT },
	{ "seccompProfilePath", .kind = TEXT },
	{ 0 },
};
static const struct member linux_container[] = {
	{ "resources", .kind = MESSAGE, .members = resources },
	{ "securityContext", .kind = MESSAGE, .members = security },
	{ 0 },
};
static const struct member no_members[] = { { 0 } };
static const struct member container[] = {
	{ "metadata", .kind = MESSAGE, .members = metadata },
	{ "image", .kind = MESSAGE, .members = image },
	{ "command", .kind = TEXT, .repeated = true },
	{ "args", .kind = TEXT, .repeated = true },
	{ "workingDir", .kind = TEXT },
	{ "envs", .kind = MESSAGE, .repeated = true, .members = key_value },
	{ "mounts", .kind = MESSAGE, .repeated = true, .members = mount },
	{ "devices", .kind = MESSAGE, .repeated = true, .members = device },
	{ "labels", .kind = MAP },
	{ "annotations", .kind = MAP },
	{ "logPath", .kind = TEXT },
	{ "stdin", .kind = BOOLEAN },
	{ "stdinOnce", .kind = BOOLEAN },
	{ "tty", .kind = BOOLEAN },
	{ "linux", .kind = MESSAGE, .members = linux_container },
	{ "windows", .kind = MESSAGE, .members = no_members, .unsupported = true },
	{ "CDIDevices", .kind = MESSAGE, .repeated = true, .members = cdi_device,
	  .unsupported = true },
	{ "stopSignal", .kind = TEXT },
	{ 0 },
};
static const struct member dns[] = {
	{ "servers", .kind = TEXT, .repeated = true },
	{ "searches", .kind = TEXT, .repeated = true },
	{ "options", .kind = TEXT, .repeated = true },
	{ 0 },
};
static const struct member port_mapping[] = {
	{ "protocol", .kind = ENUMERATION, VALUES("TCP", "UDP", "SCTP") },
	{ "containerPort", .kind = NUMBER },
	{ "hostPort", .kind = NUMBER },
	{ "hostIp", .kind = TEXT },
	{ 0 },
};
static const struct member linux_pod[] = {
	{ "cgroupParent", .kind = TEXT },
	{ "securityContext", .kind = MESSAGE, .members = security },
	{ "sysctls", .kind = MAP },
	{ "overhead", .kind = MESSAGE, .members = resources },
	{ "resources", .kind = MESSAGE, .members = resources },
	{ 0 },
};
static const struct member pod[] = {
	{ "metadata", .kind = MESSAGE, .members = metadata },
	{ "hostname", .kind = TEXT },
	{ "logDirectory", .kind = TEXT },
	{ "dnsConfig", .kind = MESSAGE, .members = dns },
	{ "portMappings", .kind = MESSAGE, .repeated = true, .members = port_mapping },
	{ "labels", .kind = MAP },
	{ "annotations", .kind = MAP },
	{ "linux", .kind = MESSAGE, .members = linux_pod },
	{ "windows", .kind = MESSAGE, .members = no_members, .unsupported = true },
	{ 0 },
};
/* ours, not the kubelet's */
static const struct member sandbox[] = {
	{ "namespaces", .kind = MAP }, { "shm", .kind = TEXT }, { "images", .kind = MAP }, { 0 }
};
static const struct member whole[] = {
	{ "pod", .kind = MESSAGE, .members = pod },
	{ "container", .kind = MESSAGE, .members = container },
	{ "sandbox", .kind = MESSAGE, .members = sandbox },
	{ 0 },
};

/* A value as it is plainly; *ret stays NULL where it is the default. */
static int read_value(const json_t *value, const struct member *member, const char *at,
		      json_t **ret, struct error *err);

static int malformed(const char *at, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_INTEGRITY, "the document's %s is not %s", at, wanted);
}

static int read_number(const json_t *value, const char *at, json_t **ret, struct error *err)
{
	const char *text = json_string_value(value);
	char *end = NULL;

	errno = 0;
	long long number = text ? strtoll(text, &end, 10) : json_integer_value(value);
	bool whole_text = text && *text && strspn(text, "-0123456789") == strlen(text) && !*end;
	if (errno || (text && !whole_text) || (!text && !json_is_integer(value)))
		return malformed(at, "an integer", err);
	*ret = number ? json_integer(number) : NULL;
	return 0;
}

/* Base 64 whose bytes are text. */
static int read_bytes(const json_t *value, const char *at, json_t **ret, struct error *err)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "=";
	size_t length = strlen(text);
	cleanup_free unsigned char *bytes = xcalloc(length / 4 * 3 + 3, 1);
	ssize_t count = base64_decode(text, length, bytes);

	if (count < 0)
		return malformed(at, "base 64", err);
	if (memchr(bytes, '\0', (size_t)count))
		return malformed(at, "without NUL bytes", err);
	*ret = count ? json_stringn((const char *)bytes, (size_t)count) : NULL;
	return count && !*ret ? malformed(at, "UTF-8, which JSON needs", err) : 0;
}

static int read_enumeration(const json_t *value, const struct member *member, const char *at,
			    json_t **ret, struct error *err)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	for (json_int_t i = 0; member->values[i]; i++) {
		if (text ? strcmp(text, member->values[i]) != 0
			 : !json_is_integer(value) || number != i)
			continue;
		*ret = i ? json_string(member->values[i]) : NULL;
		return 0;
	}
	return malformed(at, "one of the values of its type", err);
}

static int read_map(const json_t *value, const char *at, json_t **ret, struct error *err)
{
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return malformed(at, "an object", err);
	json_object_foreach ((json_t *)value, key, item) {
		if (!json_is_string(item))
			return malformed(at, "an object of strings", err);
	}
	*ret = json_object_size(value) > 0 ? json_incref((json_t *)value) : NULL;
	return 0;
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

static int read_message(const json_t *value, const struct member *members, const char *at,
			json_t **ret, struct error *err)
{
	json_auto_t *plain = json_object();
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return malformed(at, "an object", err);
	json_object_foreach ((json_t *)value, key, item) {
		const struct member *member = find_member(members, key);
		cleanup_free char *item_at = xasprintf("%s.%s", at, key);
		json_t *made = NULL;

		if (!member)
			return error_set(err, ERROR_UNSUPPORTED,
					 "the document's %s is not known to this version", item_at);
		if (read_value(item, member, item_at, &made, err) < 0)
			return -1;
		if (made && member->unsupported) {
			json_decref(made);
			return error_set(err, ERROR_UNSUPPORTED,
					 "the document's %s is not supported by this version",
					 item_at);
		}
		if (made)
			json_object_set_new(plain, key, made);
	}
	*ret = json_incref(plain);
	return 0;
}

static int read_list(const json_t *value, const struct member *member, const char *at, json_t **ret,
		     struct error *err)
{
	struct member single = *member;
	json_auto_t *list = json_array();
	json_t *item;
	size_t i;

	single.repeated = false;
	if (!json_is_array(value))
		return malformed(at, "an array", err);
	json_array_foreach (value, i, item) {
		cleanup_free char *item_at = xasprintf("%s[%zu]", at, i);
		json_t *made = NULL;

		if (json_is_null(item))
			return malformed(item_at, "a value", err);
		if (read_value(item, &single, item_at, &made, err) < 0)
			return -1;
		if (!made)
			made = member->kind == NUMBER ? json_integer(0) : json_string("");
		json_array_append_new(list, made);
	}
	*ret = json_array_size(list) > 0 ? json_incref(list) : NULL;
	return 0;
}

static int read_value(const json_t *value, const struct member *member, const char *at,
		      json_t **ret, struct error *err)
{
	if (json_is_null(value))
		return 0;
	if (member->repeated)
		return read_list(value, member, at, ret, err);
	switch (member->kind) {
	case NUMBER:
		return read_number(value, at, ret, err);
	case BYTES:
		return read_bytes(value, at, ret, err);
	case ENUMERATION:
		return read_enumeration(value, member, at, ret, err);
	case MESSAGE:
		return read_message(value, member->members, at, ret, err);
	case MAP:
		return read_map(value, at, ret, err);
	case BOOLEAN:
		if (!json_is_boolean(value))
			return malformed(at, "a boolean", err);
		*ret = json_is_true(value) ? json_true() : NULL;
		return 0;
	case TEXT:
		break;
	}
	if (!json_is_string(value))
		return malformed(at, "a string", err);
	*ret = *json_string_value(value) ? json_incref((json_t *)value) : NULL;
	return 0;
}

json_t *cri_read(const json_t *cri, struct error *err)
{
	json_t *plain = NULL;

	return read_message(cri, whole, "cri", &plain, err) < 0 ? NULL : plain;
}

json_int_t cri_number(const json_t *message, const char *key)
{
	return json_integer_value(json_object_get(message, key));
}

bool cri_flag(const json_t *message, const char *key)
{
	return json_is_true(json_object_get(message, key));
}

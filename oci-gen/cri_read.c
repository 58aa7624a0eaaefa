/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of CRI v1 that describe a container, as tables. */
#include "oci-gen/cri.h"
#include "oci-gen/message.h"

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
	{ "CDIDevices", .kind = MESSAGE, .repeated = true, .members = cdi_device },
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

json_t *cri_read(const json_t *cri, struct error *err)
{
	return message_read(cri, whole, "the document's cri", err);
}

json_int_t cri_number(const json_t *message, const char *key)
{
	return json_integer_value(json_object_get(message, key));
}

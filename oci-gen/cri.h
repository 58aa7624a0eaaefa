/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the document's `cri` asks of a container: the kubelet's PodSandboxConfig and ContainerConfig
 * (CRI v1) in protobuf's JSON mapping, and `sandbox`, where the pod's namespaces and its /dev/shm
 * are pinned and the images that are mounted into its containers. Nothing is passed over: what
 * cannot be done is ERROR_UNSUPPORTED, what is malformed ERROR_INTEGRITY.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct generation;

/* `cri` with the types and defaults of its messages made plain: numbers are integers, bytes are
 * text, members that have their default are absent, messages that are there stay. NULL on failure.
 * The caller owns it. */
json_t *cri_read(const json_t *cri, struct error *err);

/* Apply what cri_read() made, which g keeps, over the image. The id is the container's; bundle is
 * NULL or where files for /etc will be. network says that the document has one. */
int cri_apply(struct generation *g, json_t *cri, const char *id, const char *bundle, bool network,
	      struct error *err);

/* What a PodSandboxConfig calls the pod. One without a name of its own, as with the host's network,
 * which kubelets give none, has the host's; so also in its namespace, which began as a copy. */
const char *cri_hostname(const json_t *pod);

/* Its parts: the namespaces; mounts and /dev/shm; devices; who may do what; and, of that, what
 * seccomp, AppArmor and SELinux forbid, by the container's security context. */
int cri_apply_namespaces(struct generation *g, const json_t *cri, bool network, struct error *err);
int cri_apply_mounts(struct generation *g, const json_t *cri, struct error *err);
int cri_apply_devices(struct generation *g, const json_t *cri, struct error *err);
int cri_apply_security(struct generation *g, const json_t *cri, struct error *err);
int cri_apply_confinement(struct generation *g, const json_t *cri, const json_t *context,
			  struct error *err);

/* The mode of a namespace ("network", "pid", "ipc"): "POD", "CONTAINER", "NODE" or "TARGET". What
 * is the pod's may be the node's, which the pod says. */
const char *cri_namespace_mode(const json_t *cri, const char *key);

/* A list of CRI's IDMappings as the runtime specification has them; `at` names it. The caller owns
 * *ret. */
int cri_mappings(const json_t *list, const char *at, json_t **ret, struct error *err);

/* Members that cri_read() left out have their defaults. */
json_int_t cri_number(const json_t *message, const char *key);

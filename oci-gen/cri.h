/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the document's `cri` asks of a container: the kubelet's PodSandboxConfig and ContainerConfig
 * (CRI v1) in protobuf's JSON mapping, and `sandbox`, where the pod's namespaces and its /dev/shm
 * are pinned. Nothing is passed over: what cannot be done is ERROR_UNSUPPORTED, what is malformed
 * ERROR_INTEGRITY.
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

/* Its parts: the namespaces; mounts, /dev/shm and devices; who may do what. */
int cri_apply_namespaces(struct generation *g, const json_t *cri, bool network, struct error *err);
int cri_apply_mounts(struct generation *g, const json_t *cri, struct error *err);
int cri_apply_security(struct generation *g, const json_t *cri, struct error *err);

/* Members that read_cri() left out have their defaults. */
json_int_t cri_number(const json_t *message, const char *key);
bool cri_flag(const json_t *message, const char *key);

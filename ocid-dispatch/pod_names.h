/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod's metadata (name, namespace, uid, attempt) belong to one pod. ROOT/podnames/HASH is a
 * symbolic link to its id; where there is no such pod it means nothing.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/records.h"

#include <jansson.h>

struct rpc_context;

struct pod_name {
	const struct records *records;
	char *hash;
	int lock_fd;
};

/* Take the name for `id`. It stays locked until pod_name_release(), when the pod must be there, or
 * be no more. ERROR_EXISTS when another pod has it; one whose maker was killed is removed. */
int pod_name_claim(const struct rpc_context *context, const struct records *records,
		   const json_t *config, const char *id, struct pod_name *name, struct error *err);
void pod_name_release(struct pod_name *name);
#define cleanup_pod_name __attribute__((cleanup(pod_name_release)))

/* The pod with that config is to be removed. */
void pod_name_drop(const struct records *records, const json_t *config, const char *id);

/* Remove the names of pods that are gone, but for those that are being made: of a pod that was, a
 * power cut may leave nothing that tells its name. */
void pod_names_sweep(const struct records *records);

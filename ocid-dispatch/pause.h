/* SPDX-License-Identifier: Apache-2.0 */
/* The process that keeps the PID namespace of a pod (ocid-dispatch/pause/main.c). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct records;
struct rpc_context;

/* Start it in the pod's namespaces, an object of paths, to which that of PIDs is added. */
int pause_start(const struct rpc_context *context, const struct records *records, const char *id,
		json_t *namespaces, struct error *err);

bool pause_lives(const struct records *records, const char *id);

/* End it, and with it every process of the namespace. Again is no error. */
int pause_end(const struct records *records, const char *id, struct error *err);

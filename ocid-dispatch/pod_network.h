/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces of a pod, and its connection to the network, by ctr-net(1). */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct pipeline;
struct rpc_context;

/* Make and pin what the pod has of its own; into the document's cri.sandbox.namespaces. */
int pod_network_namespaces(const struct rpc_context *context, json_t *document, struct error *err);

/* Connect it by its CNI plugins; adds the document's `network`. */
int pod_network_connect(const struct rpc_context *context, json_t *document, struct error *err);

/* Undo both. Again is no error. */
int pod_network_remove(const struct rpc_context *context, const char *id, struct error *err);

/* Whether there is a network for pods now. */
int pod_network_check(const struct rpc_context *context, struct error *err);

/* All that are configured, rows of `ctr-net list`. The caller owns them. */
json_t *pod_network_list(const struct rpc_context *context, struct error *err);

/* Its addresses without their prefixes, of the first interface, as an array. The caller owns it. */
json_t *pod_network_addresses(const json_t *document);

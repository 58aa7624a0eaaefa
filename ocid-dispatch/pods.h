/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods on disk. The document of one, ROOT/pods/ID/document.json, is a container document (man 7
 * ocid) without a container:
 *
 *   pod      {id, created (ns since 1970), stage, handler}
 *   cri      {pod: the PodSandboxConfig, sandbox: {namespaces, shm}}
 *   network  as ctr-net made it; none with the network of the node
 *
 * The stage is "making" from before the first thing is made until the last one is, so that what a
 * kill leaves half-made is found; then "ready", "stopped", and "removing" from before the first
 * thing is removed. The lock of the pod is held by whoever changes it: a pod in the making whose
 * lock is free has lost its maker, and is as good as stopped.
 */
#pragma once
#include "lib/error.h"
#include "lib/lock.h"
#include "ocid-dispatch/records.h"

#include <jansson.h>
#include <stdbool.h>

struct rpc_context;

/* The whole id that a client means by `text`. NULL with ERROR_NOT_FOUND. The caller frees it. */
char *pod_find(const struct records *records, const char *text, struct error *err);

/* The ids of all pods, also of half-made ones. */
int pod_ids(const struct records *records, struct strings *ids, struct error *err);

/* The document; the caller owns it. ERROR_NOT_FOUND. */
json_t *pod_read(const struct records *records, const char *id, struct error *err);

/* The document of the pod that a request names; the caller owns it. */
json_t *pod_asked(const struct records *records, const json_t *request, struct error *err);

/* Set the stage and write the document. */
int pod_write(const struct records *records, json_t *document, const char *stage,
	      enum record_kind kind, struct error *err);

/* Shared to use it (for making a container in it), exclusive to change it. A descriptor. */
int pod_lock(const struct records *records, const char *id, enum lock_mode mode, bool wait,
	     struct error *err);

const char *pod_id(const json_t *document);
const char *pod_stage(const json_t *document);
const char *pod_handler(const json_t *document);

/* A NamespaceMode of the pod: what is "network", "pid" or "ipc". */
const char *pod_mode(const json_t *config, const char *what);

/* What stopping it, or a reboot, takes is there. */
bool pod_is_up(const struct records *records, const char *id);

enum pod_state { POD_READY, POD_NOT_READY, POD_BEING_MADE };

/* What it is now: its namespaces must be there and its pause process alive. */
enum pod_state pod_state(const struct records *records, const json_t *document);

/* Remove it with its containers, whatever its stage is. The caller holds the lock, exclusively;
 * its file is gone then. */
int pod_remove(const struct rpc_context *context, const struct records *records, const char *id,
	       struct error *err);

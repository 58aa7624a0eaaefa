/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an archive of a checkpoint says of its container, in the form that containerd gives it and
 * checkpointctl reads:
 *
 *   config.dump  which container, of which image, by which runtime, when
 *   spec.dump    its config.json; annotations name the pod
 *   status.dump  CRI's ContainerStatus, as Go writes messages: names as in the .proto file, enums
 * as numbers status       its times, in nanoseconds since 1970
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct named;
struct records;
struct rpc_context;

/* The documents by their names; the caller owns the object. *log_path is the container's log, NULL
 * where it has none; the caller frees it. */
json_t *checkpoint_documents(const struct rpc_context *context, const struct records *records,
			     const struct named *named, char **log_path, struct error *err);

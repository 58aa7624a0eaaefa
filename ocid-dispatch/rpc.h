/* SPDX-License-Identifier: Apache-2.0 */
/* RPCs: which there are, who answers them, and what is sent for an answer. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct cli;
struct configuration;
struct rpc;

/* What a handler knows beside its request. */
struct rpc_context {
	const char *api_version; /* "v1", or "v1alpha2", as the client calls the service */
	const char *root, *runroot;
	const struct configuration *configuration;
	bool trace; /* the pipelines go to stderr */
	/* Give a message of the answer, encoded, to the client; what for is the owner's. */
	int (*send)(const struct rpc_context *context, const struct buffer *message,
		    struct error *err);
	int send_fd;
	const struct cli *cli;
	const struct rpc *rpc; /* of the call; set by rpc_run() */
};

/* Answer a request: both are objects in protobuf's JSON mapping (ocid-dispatch/transcode.h), so a
 * field of the request that has its default value is not there. Runs in a process of its own. One
 * that answers by many messages sends them by rpc_send(), and leaves *response NULL. */
typedef int rpc_handler(const struct rpc_context *context, const json_t *request, json_t **response,
			struct error *err);

/* The same where the answer is a list and nothing else: its elements, an array, the caller's; NULL
 * on failure. */
typedef json_t *rpc_lister(const struct rpc_context *context, const json_t *request,
			   struct error *err);

struct rpc {
	const ProtobufCServiceDescriptor *service;
	const ProtobufCMethodDescriptor *method; /* with request and response */
	rpc_handler *handler;			 /* one of both, or none: nobody answers it */
	rpc_lister *lister;
	bool endless; /* its answer goes on until the client has enough */
	const char *api_version;
};

bool rpc_is_answered(const struct rpc *rpc);

/* The RPC of an HTTP/2 path, "/runtime.v1.ImageService/PullImage", of both versions of the
 * services. False when the services have none of that name. */
bool rpc_find(const char *path, struct rpc *rpc);

/* The RPC as a person names it: "PullImage", "ImageService/PullImage" or the whole path.
 * ERROR_NOT_FOUND. */
int rpc_find_name(const char *name, struct rpc *rpc, struct error *err);

/* All RPCs: array of {service, method, request, response, answered}. The caller owns it. */
json_t *rpc_list(void);

/* Decode a request, let it be answered, encode and send the answer. A request that is malformed is
 * ERROR_INTEGRITY with *decoded false. */
int rpc_run(const struct rpc *rpc, const struct rpc_context *context, const void *request,
	    size_t length, bool *decoded, struct error *err);

/* ---- rpc_send.c ---- */

/* Send a message of the answer to the client. */
int rpc_send(const struct rpc_context *context, const json_t *message, struct error *err);

/* The same for one that is encoded already. */
int rpc_send_bytes(const struct rpc_context *context, const struct buffer *message,
		   struct error *err);

/* For clients, who get the message of an error alone: put what can be done behind it. */
void rpc_add_hint(struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/buffer.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/rpc.h"
#include "ocid-dispatch/transcode.h"

int rpc_send_bytes(const struct rpc_context *context, const struct buffer *message,
		   struct error *err)
{
	if (buffer_length(message) > GRPC_MESSAGE_MAX)
		return error_set(err, ERROR_LIMIT, "the answer has more than %d bytes",
				 GRPC_MESSAGE_MAX);
	return context->send(context, message, err);
}

int rpc_send(const struct rpc_context *context, const json_t *message, struct error *err)
{
	cleanup_buffer struct buffer encoded = { 0 };
	const ProtobufCMessageDescriptor *type = context->rpc->method->output;

	if (transcode_encode(type, message, &encoded, err) < 0) {
		err->kind = ERROR_FAILED; /* our fault, not the client's */
		return error_prefix(err, "%s", type->short_name);
	}
	return rpc_send_bytes(context, &encoded, err);
}

void rpc_add_hint(struct error *err)
{
	const struct error whole = *err;

	if (*whole.hint)
		error_set(err, whole.kind, "%s (%s)", whole.message, whole.hint);
}

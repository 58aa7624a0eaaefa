/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a message: what is read must be written again, and read as the same. */
#include "ocid-dispatch/transcode.h"

#include "lib/buffer.h"

#include <stdint.h>
#include <stdlib.h>

#undef linux /* a macro of gnu17, and a field of some messages */
#include "ocid-dispatch/cri.pb-c.h"
#include "tests/ocid-dispatch/kinds.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const messages[] = {
		&kinds__kinds__descriptor,
		&runtime__v1__create_container_request__descriptor,
		&runtime__v1__pull_image_request__descriptor,
		&runtime__v1__list_pod_sandbox_stats_response__descriptor,
	};
	cleanup_buffer struct buffer out = { 0 };
	struct error err = { 0 };

	if (size < 1)
		return 0;
	const ProtobufCMessageDescriptor *message = messages[data[0] & 3];
	json_auto_t *json = transcode_decode(message, data + 1, size - 1, data[0] & 4, &err);
	if (!json)
		return 0;
	if (transcode_encode(message, json, &out, &err) < 0)
		abort();
	json_auto_t *again = transcode_decode(message, buffer_data(&out), buffer_length(&out),
					      data[0] & 4, &err);
	if (!again || !json_equal(json, again))
		abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request for an upgrade, and what it leads to. */
#include "ocid-dispatch/stream/handshake.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http1_request request = { 0 };
	struct handshake handshake = { 0 };
	struct error err = { 0 };
	char *refusal = NULL;
	ssize_t head = http1_parse(data, size, &request, &err);

	if (head > 0) {
		if ((size_t)head > size)
			__builtin_trap();
		if (handshake_decide(&request, &handshake, &refusal) == 0 &&
		    strlen(handshake.token) != STREAM_TOKEN_SIZE - 1)
			__builtin_trap();
	}
	free(handshake.response);
	free(refusal);
	http1_free(&request);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes of a WebSocket client; messages are sent back in their parts. */
#include "ocid-dispatch/stream/websocket.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct echo {
	struct websocket *socket;
	size_t parts;
};

static void on_part(void *owner, bool text, bool first, bool last, const void *data, size_t length)
{
	struct echo *echo = owner;

	echo->parts++;
	if (first && last)
		websocket_send(echo->socket, text, data, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct echo echo = { 0 };
	struct error err = { 0 };

	echo.socket = websocket_new(on_part, &echo, &err);
	if (echo.socket && websocket_receive(echo.socket, data, size / 2, &err) == 0)
		websocket_receive(echo.socket, data + size / 2, size - size / 2, &err);
	if (echo.parts > size)
		__builtin_trap();
	if (echo.socket)
		websocket_close(echo.socket);
	websocket_free(echo.socket);
	return 0;
}

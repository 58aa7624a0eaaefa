/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/spdy_frames.h"

void spdy_put32(struct buffer *out, uint32_t number)
{
	const unsigned char bytes[] = { (unsigned char)(number >> 24),
					(unsigned char)(number >> 16), (unsigned char)(number >> 8),
					(unsigned char)number };

	buffer_append(out, bytes, sizeof bytes);
}

void spdy_put_control(struct buffer *out, enum spdy_frame_type type, size_t length)
{
	spdy_put32(out, 0x80000000U | SPDY_VERSION << 16 | type);
	spdy_put32(out, (uint32_t)length); /* no flags */
}

void spdy_put_window_update(struct buffer *out, uint32_t id, size_t delta)
{
	spdy_put_control(out, SPDY_WINDOW_UPDATE, 8);
	spdy_put32(out, id);
	spdy_put32(out, (uint32_t)delta);
}

void spdy_put_reset(struct buffer *out, uint32_t id, enum spdy_reason reason)
{
	spdy_put_control(out, SPDY_RST_STREAM, 8);
	spdy_put32(out, id);
	spdy_put32(out, reason);
}

void spdy_put_go_away(struct buffer *out, uint32_t last_id, uint32_t status)
{
	spdy_put_control(out, SPDY_GOAWAY, 8);
	spdy_put32(out, last_id);
	spdy_put32(out, status);
}

void spdy_put_settings(struct buffer *out, uint32_t streams_max, uint32_t window)
{
	spdy_put_control(out, SPDY_SETTINGS, 4 + 2 * SPDY_SETTING_SIZE);
	spdy_put32(out, 2);
	spdy_put32(out, SPDY_SETTING_STREAMS_MAX);
	spdy_put32(out, streams_max);
	spdy_put32(out, SPDY_SETTING_WINDOW);
	spdy_put32(out, window);
}

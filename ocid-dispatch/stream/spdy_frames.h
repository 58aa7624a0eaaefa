/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of SPDY/3, appended to a buffer. */
#pragma once
#include "lib/buffer.h"
#include "ocid-dispatch/stream/spdy.h"

#include <stddef.h>
#include <stdint.h>

enum { SPDY_VERSION = 3, SPDY_SETTING_SIZE = 8 };

enum spdy_frame_type {
	SPDY_SYN_STREAM = 1,
	SPDY_SYN_REPLY = 2,
	SPDY_RST_STREAM = 3,
	SPDY_SETTINGS = 4,
	SPDY_PING = 6,
	SPDY_GOAWAY = 7,
	SPDY_HEADERS = 8,
	SPDY_WINDOW_UPDATE = 9,
};

enum { SPDY_SETTING_STREAMS_MAX = 4, SPDY_SETTING_WINDOW = 7 };

void spdy_put32(struct buffer *out, uint32_t number);

/* The header of a control frame without flags; `length` bytes are to follow. */
void spdy_put_control(struct buffer *out, enum spdy_frame_type type, size_t length);

void spdy_put_window_update(struct buffer *out, uint32_t id, size_t delta);
void spdy_put_reset(struct buffer *out, uint32_t id, enum spdy_reason reason);
void spdy_put_go_away(struct buffer *out, uint32_t last_id, uint32_t status);
void spdy_put_settings(struct buffer *out, uint32_t streams_max, uint32_t window);

/* SPDX-License-Identifier: Apache-2.0 */
/* How channels travel. */
#pragma once
#include "ocid-dispatch/stream/session.h"

/* SPDY/3.1, or that in the binary messages of a WebSocket. */
int carrier_spdy(struct session *session, bool in_websocket, struct error *err);

/* Numbered channels in a WebSocket: the first byte of a message is the channel's number, or its
 * first digit where the messages are base64 in text. `version` 5 has a message of 255 and a number
 * to say that a channel is ended. */
int carrier_websocket(struct session *session, bool base64, struct error *err);

enum { CARRIER_CHANNELS_MAX = 2 * STREAM_PORTS_MAX };

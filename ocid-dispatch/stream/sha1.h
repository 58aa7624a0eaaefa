/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-1 (RFC 3174) of a short text. WebSocket's handshake wants it, where it protects nothing;
 * libcrypto for that alone would cost each worker 400 KiB of memory of its own.
 */
#pragma once
#include <stddef.h>

enum { SHA1_SIZE = 20, SHA1_TEXT_MAX = 119 }; /* two blocks */

/* `length` is at most SHA1_TEXT_MAX. */
void sha1_short(const void *text, size_t length, unsigned char hash[static SHA1_SIZE]);

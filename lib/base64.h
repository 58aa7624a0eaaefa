/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648). */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* The standard alphabet with padding; the caller frees it. */
char *base64_encode(const void *data, size_t length);

/* Decode the standard or the URL-safe alphabet, padded or not, in lines as base64(1) writes it or
 * not, into `data`, which has room for length / 4 * 3 + 3 bytes. Returns the number of bytes, or -1
 * when the text is not base64. */
ssize_t base64_decode(const char *text, size_t length, unsigned char *data);

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base64.h"

#include "lib/memory.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t length)
{
	const unsigned char *in = data;
	char *text = xcalloc(length / 3 + 2, 4), *out = text;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	return text;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

ssize_t base64_decode(const char *text, size_t length, unsigned char *data)
{
	unsigned char *out = data;
	uint32_t bits = 0;
	size_t digits = 0, padding = 0;

	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=') {
			padding++;
			continue;
		}
		if (value < 0 || padding > 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		if (digits % 4 > 0)
			*out++ = (unsigned char)(bits >> (6 - digits % 4 * 2));
		digits++;
	}
	/* padding only where it fills up the last four */
	if (padding > 2 || (padding > 0 && (digits + padding) % 4 != 0))
		return -1;
	return digits % 4 == 1 ? -1 : out - data;
}

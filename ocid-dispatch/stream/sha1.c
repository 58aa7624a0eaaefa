/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/sha1.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64, WORDS = 5, STEPS = 80, LENGTH_SIZE = 8 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t get32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* f and K of a step (section 5). */
static uint32_t mix(unsigned step, uint32_t b, uint32_t c, uint32_t d)
{
	if (step < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (step < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (step < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t state[static WORDS], const unsigned char *block)
{
	uint32_t w[STEPS], v[WORDS];

	for (size_t t = 0; t < BLOCK / 4; t++)
		w[t] = get32(block + 4 * t);
	for (size_t t = BLOCK / 4; t < STEPS; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, state, sizeof v);
	for (unsigned t = 0; t < STEPS; t++) {
		uint32_t next = rotate(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (unsigned i = 0; i < WORDS; i++)
		state[i] += v[i];
}

void sha1_short(const void *text, size_t length, unsigned char hash[static SHA1_SIZE])
{
	uint32_t state[WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	unsigned char padded[2 * BLOCK] = { 0 };
	size_t blocks = length + 1 + LENGTH_SIZE <= BLOCK ? 1 : 2;
	unsigned char *end = padded + blocks * BLOCK;

	memcpy(padded, text, length);
	padded[length] = 0x80;
	end[-2] = (unsigned char)(length * 8 >> 8);
	end[-1] = (unsigned char)(length * 8);
	for (size_t i = 0; i < blocks; i++)
		add_block(state, padded + i * BLOCK);
	for (unsigned i = 0; i < SHA1_SIZE; i++)
		hash[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}

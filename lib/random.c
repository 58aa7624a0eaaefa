/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"

#include <stdio.h>
#include <sys/random.h>

static void random_hex(char *hex, size_t bytes)
{
	unsigned char raw[32];

	/* at most 256 bytes never fail nor fall short once the kernel is seeded (random(7)) */
	while (getrandom(raw, bytes, 0) != (ssize_t)bytes)
		;
	for (size_t i = 0; i < bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
}

void random_name(char name[static RANDOM_NAME_SIZE])
{
	random_hex(name, 8);
}

void random_id(char id[static RANDOM_ID_SIZE])
{
	random_hex(id, 32);
}

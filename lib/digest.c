/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as text. Computing them is in hasher.c, so that a program that does not need libcrypto
 * is not linked with it: loading it takes longer than all else that a short program does. */
#include "lib/digest.h"

#include <string.h>

static const struct {
	const char *prefix;
	size_t hex_length;
} algorithms[] = {
	{ "sha256:", 64 },
	{ "sha512:", 128 },
};

bool digest_is_valid(const char *text)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		size_t prefix = strlen(algorithms[i].prefix), hex = algorithms[i].hex_length;

		if (strncmp(text, algorithms[i].prefix, prefix) == 0)
			return strspn(text + prefix, "0123456789abcdef") == hex &&
			       strlen(text + prefix) == hex;
	}
	return false;
}

const char *digest_hex(const char *digest)
{
	return strchr(digest, ':') + 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as text. Computing them is in hasher.c, so that a program that does not need libcrypto
 * is not linked with it: loading it takes longer than all else that a short program does. */
#include "lib/digest.h"

#include <ctype.h>
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

/* ALGORITHM:ENCODED, with an algorithm that is none of ours. */
static bool is_of_another(const char *text)
{
	size_t algorithm = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+._-");

	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
		if (strncmp(text, algorithms[i].prefix, strlen(algorithms[i].prefix)) == 0)
			return false;
	if (algorithm == 0 || text[algorithm] != ':' || !text[algorithm + 1])
		return false;
	for (const char *at = text + algorithm + 1; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("=_-", *at))
			return false;
	return true;
}

int digest_require(const char *text, struct error *err)
{
	if (digest_is_valid(text))
		return 0;
	return is_of_another(text)
		       ? error_set(err, ERROR_UNSUPPORTED,
				   "\"%s\" is a digest of an unknown algorithm", text)
		       : error_set(err, ERROR_INTEGRITY, "\"%s\" is not a digest", text);
}

const char *digest_hex(const char *digest)
{
	return strchr(digest, ':') + 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says of itself in headers: authentication challenges (RFC 9110, section 11.6.1)
 * and links to the next page (RFC 8288). Pure: text in, text out. */
#pragma once
#include <stdbool.h>

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *scope; /* NULL where not given */
};

/* Read the strongest challenge that we can answer (Bearer before Basic) from one value of
 * WWW-Authenticate, which may hold several. False when there is none. */
bool challenge_parse(const char *value, struct challenge *challenge);
void challenge_free(struct challenge *challenge);
#define cleanup_challenge __attribute__((cleanup(challenge_free)))

/* The target of rel="next" in a value of Link, or NULL. The caller frees it. */
char *link_next(const char *value);

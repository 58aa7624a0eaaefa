/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/referrers_tag.h"

#include "lib/digest.h"
#include "lib/memory.h"

#include <string.h>

enum { TAG_HEX = 64 }; /* of a longer digest the first ones */

char *referrers_tag(const char *digest, const char *suffix)
{
	return xasprintf("%.*s-%.*s%s", (int)strcspn(digest, ":"), digest, TAG_HEX,
			 digest_hex(digest), suffix);
}

char *referrers_tag_subject(const char *tag)
{
	static const char *const prefixes[] = { "sha256-", "sha512-" };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t prefix = strlen(prefixes[i]), length = prefix + TAG_HEX;

		if (strncmp(tag, prefixes[i], prefix) == 0 &&
		    strspn(tag + prefix, "0123456789abcdef") == TAG_HEX &&
		    (!tag[length] || tag[length] == '.'))
			return xstrndup(tag, length);
	}
	return NULL;
}

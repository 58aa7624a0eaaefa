/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary values of WWW-Authenticate and Link. */
#include "skopeo-c/challenge.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct challenge challenge;

	if (challenge_parse(text, &challenge))
		challenge_free(&challenge);
	free(link_next(text));
	free(text);
	return 0;
}

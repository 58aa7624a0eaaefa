/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary text as an image reference: what is taken is taken again as its own normal form. */
#include "lib/reference.h"

#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct reference reference, again;
	struct error err;

	if (reference_parse(text, &reference, &err) == 0) {
		char *normal = reference_text(&reference);

		if (reference_parse(normal, &again, &err) < 0)
			abort();
		char *same = reference_text(&again);
		if (strcmp(normal, same) != 0)
			abort();
		free(same);
		free(normal);
		reference_free(&again);
		reference_free(&reference);
	}
	free(text);
	return 0;
}

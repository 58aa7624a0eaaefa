/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a seccomp profile whose lists are taken out and put back: it is the same JSON then,
 * or none as before. */
#include "oci-gen/seccomp_names.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strings struct strings lists = { 0 };
	struct error unused;
	size_t length;
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_free char *rest = seccomp_names_take(text, strlen(text), &length, &lists);

	if (!rest)
		return 0;
	json_auto_t *before = json_parse(text, strlen(text), "", &unused);
	json_auto_t *after = json_parse(rest, length, "", &unused);
	if (!before != !after)
		abort();
	if (!before)
		return 0;

	cleanup_free char *expected = json_compact(before);
	cleanup_free char *found = seccomp_names_text(after, &lists);
	if (strcmp(expected, found) != 0)
		abort();
	return 0;
}

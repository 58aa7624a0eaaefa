/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a runtime's log: an error of one line comes out. */
#include "ocid-shim/runtime.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *log = xstrndup((const char *)data, size);
	cleanup_free char *text = runtime_error_text(log, log);

	if (strchr(text, '\n'))
		abort();
	return 0;
}

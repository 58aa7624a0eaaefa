/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet's messages: what was read once reads the same again. */
#include "lib/error.h"
#include "lib/json.h"
#include "oci-gen/cri.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	json_auto_t *input = json_parse((const char *)data, size, "input", &err);
	json_auto_t *plain = input ? cri_read(input, &err) : NULL;

	/* bytes are text now, and would be taken for base 64 again */
	if (!plain || json_path(plain, "container", "envs", NULL))
		return 0;

	json_auto_t *again = cri_read(plain, &err);
	if (!again || !json_equal(plain, again))
		abort();
	return 0;
}

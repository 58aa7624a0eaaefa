/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as an image's configuration. Whatever it holds, the result passes our own checks. */
#include "lib/json.h"
#include "lib/log.h"
#include "oci-gen/findings.h"
#include "oci-gen/generation.h"
#include "oci-gen/image.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err;
	json_auto_t *image = json_parse((const char *)data, size, "input", &err);
	cleanup_generation struct generation g;

	log_setup("fuzz", LOG_LEVEL_ERROR);
	generation_start(&g);
	g.seccomp = "unconfined";
	if (image && image_apply(&g, image, &err) == 0 && generation_finish(&g, &err) == 0 &&
	    generation_check(&g, &err) == 0) {
		cleanup_findings struct findings findings = { 0 };

		structure_check(g.config, &findings);
		if (findings.errors > 0)
			abort();
	}
	return 0;
}

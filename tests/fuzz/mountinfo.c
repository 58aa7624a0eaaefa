/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as mountinfo: file names in it are anybody's. */
#include "ctr-store/mountinfo.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_mount_table struct mount_table table = { 0 };
	cleanup_free char *text = xstrndup((const char *)data, size);

	mount_table_parse(text, &table);
	mount_table_has(&table, "ocid:0", "/");
	mount_table_on(&table, "/");
	return 0;
}

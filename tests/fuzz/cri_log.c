/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as a line of a log, which others may write to as well. */
#include "ocid-shim/cri_log.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cri_record record;
	long long nanoseconds;

	if (!cri_record_parse((const char *)data, size, &record))
		return 0;
	/* what is found lies in the line */
	if (record.content + record.length != (const char *)data + size ||
	    record.time != (const char *)data || record.time_length > size)
		abort();
	cri_time_parse(record.time, record.time_length, &nanoseconds);
	return 0;
}

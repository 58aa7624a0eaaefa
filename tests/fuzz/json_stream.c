/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes, in pieces of any size: the same objects come out however they are cut. */
#include "ctr-store/json_stream.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The objects of the bytes, `step` at a time, up to the first error. */
static json_t *collect(const char *bytes, size_t size, size_t step)
{
	cleanup_json_stream struct json_stream stream = { 0 };
	json_t *all = json_array(), *object;
	struct error err;
	int status = 0;

	for (size_t at = 0; at < size && status == 0; at += step) {
		json_stream_add(&stream, bytes + at, step < size - at ? step : size - at);
		while ((status = json_stream_next(&stream, &object, &err)) == 1)
			json_array_append_new(all, object);
	}
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	json_auto_t *whole = collect((const char *)data + 1, size - 1, size);
	json_auto_t *pieces = collect((const char *)data + 1, size - 1, data[0] + 1U);

	if (!json_equal(whole, pieces))
		abort();
	return 0;
}

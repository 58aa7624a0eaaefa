/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes to decompress: the same comes out however they are cut. */
#include "skopeo-c/gzip.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 16 << 20 };

struct output {
	size_t length;
	uint32_t sum;
	int status;
};

static int take(void *context, const void *data, size_t length, struct error *err)
{
	struct output *output = context;
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		output->sum = (output->sum ^ bytes[i]) * 16777619U;
	output->length += length;
	return output->length > OUTPUT_MAX ? error_set(err, ERROR_LIMIT, "too much") : 0;
}

static struct output decompress(const uint8_t *data, size_t size, size_t step)
{
	struct output output = { 0 };
	struct error err;
	struct gzip_reader *reader = gzip_reader_new(take, &output);

	for (size_t at = 0; at < size && output.status == 0; at += step)
		output.status =
			gzip_read(reader, data + at, step < size - at ? step : size - at, &err);
	if (output.status == 0)
		output.status = gzip_read_end(reader, &err);
	gzip_reader_free(reader);
	return output;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct output whole = decompress(data, size, size);
	struct output pieces = decompress(data, size, size ? 1 + data[size - 1] % 64U : 1);

	if (whole.status != pieces.status ||
	    (whole.status == 0 && (whole.length != pieces.length || whole.sum != pieces.sum)))
		abort();
	return 0;
}

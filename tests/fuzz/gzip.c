/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes to decompress, in pieces. */
#include "skopeo-c/gzip.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 16 << 20, PIECE = 37 };

static int count(void *context, const void *data, size_t length, struct error *err)
{
	size_t *total = context;
	const unsigned char *bytes = data;
	volatile unsigned char sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (unsigned char)(sum ^ bytes[i]);
	*total += length;
	return *total > OUTPUT_MAX ? error_set(err, ERROR_LIMIT, "too much") : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t total = 0;
	struct error err;
	struct gzip_reader *reader = gzip_reader_new(count, &total);
	int status = 0;

	for (size_t at = 0; at < size && status == 0; at += PIECE)
		status = gzip_read(reader, data + at, size - at < PIECE ? size - at : PIECE, &err);
	if (status == 0)
		(void)gzip_read_end(reader, &err);
	gzip_reader_free(reader);
	return 0;
}

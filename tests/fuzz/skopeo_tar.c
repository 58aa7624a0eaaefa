/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images from anywhere: whatever the bytes and however they are cut, or skipped, the
 * same members are told, with names and sizes that can be. */
#include "skopeo-c/tar.h"

#include "tests/fuzz/tar_sums.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was told so far, as one number. */
static void add(uint64_t *told, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		*told = (*told ^ bytes[i]) * 1099511628211U;
}

static int note(void *context, const struct tar_member *member, struct error *err)
{
	(void)err;
	if (member->size < 0 || member->offset < 0 || !member->name || !member->link)
		abort();
	add(context, member->name, strlen(member->name) + 1);
	add(context, member->link, strlen(member->link) + 1);
	add(context, &member->size, sizeof member->size);
	add(context, &member->offset, sizeof member->offset);
	for (size_t i = 0; i < member->attribute_count; i++)
		add(context, member->attributes[i].value, member->attributes[i].length);
	return 0;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The archive, `step` bytes at a time; what need not be seen is passed over when `skip`. */
static uint64_t parse(const uint8_t *data, size_t size, size_t step, bool skip)
{
	struct error err;
	uint64_t told = 0;
	struct tar_parser *parser = tar_parser_new(note, NULL, &told);
	int status = 0;

	for (size_t at = 0; at < size && status == 0;) {
		if (skip) {
			size_t rest = smaller((size_t)tar_skippable(parser), size - at);

			tar_skip(parser, (int64_t)rest);
			at += rest;
		}
		size_t length = smaller(step, size - at);
		status = tar_parse(parser, data + at, length, &err);
		at += length;
	}
	if (status == 0)
		status = tar_parse_end(parser, &err);
	add(&told, &status, sizeof status);
	tar_parser_free(parser);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *archive = tar_sums_mended(data, size);
	uint64_t told = parse(archive, size, size ? size : 1, false);

	if (told != parse(archive, size, size ? 1 + data[size - 1] * 8u : 1, false) ||
	    told != parse(archive, size, TAR_BLOCK, true))
		abort();
	free(archive);
	return 0;
}

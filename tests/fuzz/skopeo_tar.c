/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images from anywhere: whatever the bytes and however they are cut, members are told
 * with names and sizes that can be. */
#include "skopeo-c/tar.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int note(void *context, const struct tar_member *member, struct error *err)
{
	(void)context;
	(void)err;
	if (member->size < 0 || member->offset < 0 || !member->name || !member->link)
		abort();
	return strlen(member->name) > 1 << 21 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct error err;
	struct tar_parser *parser = tar_parser_new(note, NULL, NULL);
	size_t step = size > 0 ? 1 + data[size - 1] * 8u : 1;

	for (size_t at = 0; at < size; at += step)
		if (tar_parse(parser, data + at, step < size - at ? step : size - at, &err) < 0)
			break;
	(void)tar_parse_end(parser, &err);
	tar_parser_free(parser);
	return 0;
}

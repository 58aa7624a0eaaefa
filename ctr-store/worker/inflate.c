/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/inflate.h"

#include <string.h>

static bool matches_anything(const unsigned char *data, size_t length)
{
	(void)data;
	(void)length;
	return true;
}

static void *none_start(struct source *source, struct error *err)
{
	(void)err;
	return source;
}

static ssize_t none_read(void *state, void *out, size_t size, struct error *err)
{
	struct source *source = state;
	ssize_t available = source_fill(source, 1, err);
	size_t length;

	if (available <= 0)
		return available;
	length = (size_t)available < size ? (size_t)available : size;
	memcpy(out, source->buffer + source->start, length);
	source->start += length;
	return (ssize_t)length;
}

static void none_stop(void *state)
{
	(void)state;
}

const struct codec codec_none = { "none", matches_anything, none_start, none_read, none_stop };

static const struct codec *const codecs[] = { &codec_gzip, &codec_zstd, &codec_bzip2, &codec_xz,
					      &codec_none };

enum { MAGIC_MAX = 6 };

int inflater_start(struct inflater *inflater, struct source *source, struct error *err)
{
	ssize_t length = source_fill(source, MAGIC_MAX, err);
	size_t i = 0;

	if (length < 0)
		return -1;
	while (!codecs[i]->matches(source->buffer + source->start, (size_t)length))
		i++;

	void *state = codecs[i]->start(source, err);
	if (!state)
		return -1;
	*inflater = (struct inflater){ codecs[i], state, source };
	return 0;
}

ssize_t inflater_read(struct inflater *inflater, unsigned char *out, size_t size, struct error *err)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = inflater->codec->read(inflater->state, out + used, size - used, err);

		if (got < 0 && inflater->codec != &codec_none && err->os == 0)
			return error_prefix(err, "%s", inflater->codec->name);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

void inflater_stop(struct inflater *inflater)
{
	if (inflater->codec)
		inflater->codec->stop(inflater->state);
	inflater->codec = NULL;
}

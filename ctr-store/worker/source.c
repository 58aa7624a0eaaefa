/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* One read into the free end of the buffer. */
static int read_more(struct source *source, struct error *err)
{
	ssize_t got;

	do {
		got = read(source->fd, source->buffer + source->end, SOURCE_CHUNK - source->end);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_os(err, "cannot read the layer");
	if (source->hasher)
		hasher_update(source->hasher, source->buffer + source->end, (size_t)got);
	source->end += (size_t)got;
	source->ended = got == 0;
	return 0;
}

ssize_t source_fill(struct source *source, size_t want, struct error *err)
{
	if (source->end - source->start < want && source->start > 0) {
		source->end -= source->start;
		memmove(source->buffer, source->buffer + source->start, source->end);
		source->start = 0;
	}
	while (source->end - source->start < want && !source->ended)
		if (read_more(source, err) < 0)
			return -1;
	return (ssize_t)(source->end - source->start);
}

int source_drain(struct source *source, struct error *err)
{
	do {
		source->start = source->end = 0;
		if (source_fill(source, 1, err) < 0)
			return -1;
	} while (!source->ended);
	return 0;
}

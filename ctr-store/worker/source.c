/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PAUSE_US = 2000,
	PAUSE_US_MAX = 64000,
	LET_GO_STEP = 4 << 20, /* bytes */
	LET_GO_BEHIND = 8 << 20
};

/* Each a quarter longer than the one before, so that little of the wait is too much. inotify would
 * tell of growth, but at its end the kernel makes the process wait. */
static void wait_for_growth(struct source *source)
{
	if (source->pause_us == 0)
		source->pause_us = PAUSE_US;
	else if (source->pause_us < PAUSE_US_MAX)
		source->pause_us += source->pause_us / 4;
	const struct timespec pause = { .tv_nsec = source->pause_us * 1000 };
	nanosleep(&pause, NULL);
}

/* Of a blob that was followed nobody needs the beginning any more: the memory that it has in the
 * page cache is for the layer, once the disk has it, too. */
static void let_go(const struct source *source, long long before)
{
	if (source->growing_to && source->taken > LET_GO_BEHIND &&
	    before / LET_GO_STEP != source->taken / LET_GO_STEP)
		posix_fadvise(source->fd, 0, source->taken - LET_GO_BEHIND, POSIX_FADV_DONTNEED);
}

/* How much the next read is to take: nothing behind the end that was announced. */
static size_t wanted(const struct source *source)
{
	size_t room = SOURCE_CHUNK - source->end;
	long long left = source->growing_to - source->taken;

	return source->growing_to && left < (long long)room ? (size_t)left : room;
}

/* One read into the free end of the buffer. */
static int read_more(struct source *source, struct error *err)
{
	size_t want = wanted(source);
	ssize_t got;

	while ((got = read(source->fd, source->buffer + source->end, want)) < 0 && errno == EINTR)
		;
	if (got < 0)
		return error_os(err, "cannot read the layer");
	if (got == 0 && want > 0 && source->growing_to) {
		wait_for_growth(source);
		return 0;
	}
	if (source->hasher)
		hasher_update(source->hasher, source->buffer + source->end, (size_t)got);
	source->end += (size_t)got;
	source->taken += got;
	let_go(source, source->taken - got);
	source->pause_us = 0;
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

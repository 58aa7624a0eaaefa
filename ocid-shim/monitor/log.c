/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/log.h"

#include "ocid-shim/monitor/rotate.h"
#include "ocid-shim/monitor/text.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void make_header(struct text header, const char *stamp, const char *stream, const char *tag)
{
	text_add(&header, stamp);
	text_add(&header, " ");
	text_add(&header, stream);
	text_add(&header, tag);
}

/* The record about lost records. */
static void add_notice(struct log *log, const char *stamp)
{
	struct text text = { log->out, LOG_OUT, 0 };

	text_add(&text, stamp);
	text_add(&text, " stderr F ocid-shim: ");
	text_add_number(&text, (long long)log->lost);
	text_add(&text, " log records were lost: the log could not be written\n");
	log->used = text.length;
}

/* Start a batch of records that share their time. */
static void start_batch(struct log *log, const char *stream)
{
	char stamp[STAMP_SIZE];

	stamp_now(stamp);
	make_header((struct text){ log->full, sizeof log->full, 0 }, stamp, stream, " F ");
	make_header((struct text){ log->partial, sizeof log->partial, 0 }, stamp, stream, " P ");
	log->touched = true;
	log->used = log->records = 0;
	if (log->lost)
		add_notice(log, stamp);
}

/* Write the queued records, all or none. */
static void write_batch(struct log *log)
{
	size_t done = 0;

	if (log->records == 0)
		return;
	if (log->max && log->size > 0 && log->size + (long long)log->used > log->max)
		log_rotate(log);
	while (done < log->used) {
		ssize_t put = write(log->fd, log->out + done, log->used - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (size_t)put;
	}
	if (done == log->used) {
		log->size += (long long)done;
		log->lost = 0;
		return;
	}
	log->lost += log->records;
	log->lost_total += log->records;
	/* a torn record would spoil the line after it */
	off_t end = done > 0 ? lseek(log->fd, 0, SEEK_CUR) : 0;
	if (end >= (off_t)done && done > 0 && ftruncate(log->fd, end - (off_t)done) < 0)
		return;
}

/* Queue one record; a full line's content ends with its own newline. Copied rather than gathered:
 * the kernel takes longer over many short pieces than this. */
static void add_record(struct log *log, const struct stream *stream, const char *content,
		       size_t length, bool full)
{
	if (log->journal.fd >= 0)
		journal_send(&log->journal, stream->name[3] == 'e', content, length - full, full);
	if (log->fd < 0)
		return;
	/* a batch is not divided among files */
	size_t room = log->max && log->max < LOG_OUT ? (size_t)log->max : LOG_OUT;
	if (log->records > 0 && log->used + LOG_HEADER_SIZE + length > room) {
		write_batch(log);
		start_batch(log, stream->name);
	}
	char *at = log->out + log->used;
	memcpy(at, full ? log->full : log->partial, LOG_HEADER_SIZE - 1);
	memcpy(at + LOG_HEADER_SIZE - 1, content, length);
	log->used += LOG_HEADER_SIZE - 1 + length;
	if (!full)
		log->out[log->used++] = '\n';
	log->records++;
}

void stream_record(struct log *log, struct stream *stream, size_t added)
{
	/* what was there before has no newline */
	size_t start = 0, scanned = stream->used - added;

	start_batch(log, stream->name);
	while (start < stream->used) {
		const char *line = stream->buffer + start;
		size_t from = start > scanned ? start : scanned;
		const char *newline = memchr(stream->buffer + from, '\n', stream->used - from);
		size_t length = newline ? (size_t)(newline - line) : stream->used - start;

		if (length > LOG_LINE_MAX) {
			add_record(log, stream, line, LOG_LINE_MAX, false);
			start += LOG_LINE_MAX;
			continue;
		}
		if (!newline)
			break;
		add_record(log, stream, line, length + 1, true);
		start += length + 1;
	}
	write_batch(log);
	stream->used -= start;
	memmove(stream->buffer, stream->buffer + start, stream->used);
}

ssize_t stream_read(struct stream *stream, size_t max)
{
	size_t room = LOG_BUFFER - stream->used;
	ssize_t got;

	do
		got = read(stream->fd, stream->buffer + stream->used, room < max ? room : max);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		/* EIO is how a terminal says that its last user is gone */
		return errno == EAGAIN ? -1 : 0;
	stream->used += (size_t)got;
	return got;
}

void stream_keep_end(struct stream *stream, size_t size)
{
	if (stream->used <= size)
		return;
	memmove(stream->buffer, stream->buffer + stream->used - size, size);
	stream->used = size;
}

void stream_end(struct log *log, struct stream *stream)
{
	if (stream->used == 0)
		return;
	start_batch(log, stream->name);
	add_record(log, stream, stream->buffer, stream->used, false);
	write_batch(log);
	stream->used = 0;
}

void stream_trim(struct stream *stream)
{
	if (stream->used == 0)
		madvise(stream->buffer, LOG_BUFFER, MADV_DONTNEED);
}

void log_trim(struct log *log)
{
	madvise(log->out, LOG_OUT, MADV_DONTNEED);
	log->touched = false;
}

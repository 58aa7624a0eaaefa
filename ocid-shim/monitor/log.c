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

/* Start a batch of records that share their time. */
static void start_batch(struct log *log, const char *stream)
{
	char stamp[STAMP_SIZE];

	stamp_now(stamp);
	make_header((struct text){ log->full, sizeof log->full, 0 }, stamp, stream, " F ");
	make_header((struct text){ log->partial, sizeof log->partial, 0 }, stamp, stream, " P ");
	log->count = 1;
	log->bytes = log->records = 0;
}

static void add_piece(struct log *log, const char *data, size_t length)
{
	log->pieces[log->count++] = (struct iovec){ (void *)data, length };
	log->bytes += length;
}

/* The record about lost records, in the piece that is kept for it. */
static void add_notice(struct log *log)
{
	char stamp[STAMP_SIZE];
	struct text text = { log->notice, LOG_NOTICE_SIZE, 0 };

	stamp_now(stamp);
	text_add(&text, stamp);
	text_add(&text, " stderr F ocid-shim: ");
	text_add_number(&text, (long long)log->lost);
	text_add(&text, " log records were lost: the log could not be written\n");
	log->pieces[0] = (struct iovec){ log->notice, text.length };
	log->bytes += text.length;
}

/* Move past `done` bytes of the pieces from `first`; returns the first that is not done. */
static size_t skip_pieces(struct iovec *pieces, size_t first, size_t done)
{
	while (done > 0 && done >= pieces[first].iov_len)
		done -= pieces[first++].iov_len;
	if (done > 0) {
		pieces[first].iov_base = (char *)pieces[first].iov_base + done;
		pieces[first].iov_len -= done;
	}
	return first;
}

/* Write the queued records, all or none. */
static void write_batch(struct log *log)
{
	size_t first = log->lost ? 0 : 1, done = 0;

	if (log->records == 0)
		return;
	if (log->lost)
		add_notice(log);
	if (log->max && log->size > 0 && log->size + (long long)log->bytes > log->max)
		log_rotate(log);
	while (done < log->bytes) {
		ssize_t put = writev(log->fd, log->pieces + first, (int)(log->count - first));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (size_t)put;
		first = skip_pieces(log->pieces, first, (size_t)put);
	}
	if (done == log->bytes) {
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

/* Queue one record; a full line's content ends with its own newline. */
static void add_record(struct log *log, const struct stream *stream, const char *content,
		       size_t length, bool full)
{
	if (log->journal.fd >= 0)
		journal_send(&log->journal, stream->name[3] == 'e', content, length - full, full);
	if (log->fd < 0)
		return;
	if (log->count + 3 > LOG_PIECES) {
		write_batch(log);
		start_batch(log, stream->name);
	}
	add_piece(log, full ? log->full : log->partial, LOG_HEADER_SIZE - 1);
	add_piece(log, content, length);
	if (!full)
		add_piece(log, "\n", 1);
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
	madvise(log->pieces, LOG_PIECES * sizeof *log->pieces, MADV_DONTNEED);
	log->count = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_reader.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/memory.h"
#include "ocid-shim/cri_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK = 65536,		/* bytes read at once */
	NEAR = 1024,		/* bytes before a record, in which most begin */
	LONGEST_LINE = 1 << 20, /* bytes; our own records have at most some 16 KiB */
	HEADER_MAX = 64		/* bytes before a record's content */
};

int log_reader_open(const char *name, const char *path, struct log_reader *reader,
		    struct error *err)
{
	cleanup_fd int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return error_os(err, "log %s", path);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(err, ERROR_FAILED, "log %s is not a file", path);
	*reader = (struct log_reader){
		.fd = steal_fd(&fd), .path = path, .size = BLOCK, .buffer = xcalloc(1, BLOCK)
	};
	return 0;
}

void log_reader_close(struct log_reader *reader)
{
	cleanup_fd_p(&reader->fd);
	free(reader->buffer);
	*reader = (struct log_reader){ .fd = -1 };
}

bool log_reader_is_other(const struct log_reader *reader, const struct stat *status)
{
	struct stat own;

	return fstat(reader->fd, &own) == 0 &&
	       (own.st_ino != status->st_ino || own.st_dev != status->st_dev);
}

/* Whether the record at that place ends a line of output. What is no record counts as a line. */
static bool ends_line(int fd, off_t at)
{
	char header[HEADER_MAX];
	struct cri_record record;
	ssize_t length = pread(fd, header, sizeof header, at);

	return length <= 0 || !cri_record_parse(header, (size_t)length, &record) || record.is_full;
}

static bool is_later(int fd, off_t at, long long until)
{
	char header[HEADER_MAX];
	ssize_t length = pread(fd, header, sizeof header, at);
	const char *space = length > 0 ? memchr(header, ' ', (size_t)length) : NULL;
	long long when;

	return space && cri_time_parse(header, (size_t)(space - header), &when) && when > until;
}

/* Where the record begins that ends just before `end`. */
static off_t record_before(int fd, off_t end)
{
	char block[BLOCK];
	off_t stop = end - 1; /* without the record's own newline */

	for (int size = NEAR; stop > 0; size = BLOCK) {
		size_t wanted = stop < size ? (size_t)stop : (size_t)size;
		ssize_t length = pread(fd, block, wanted, stop - (off_t)wanted);

		if (length != (ssize_t)wanted)
			return 0;
		const char *newline = memrchr(block, '\n', wanted);
		if (newline)
			return stop - (off_t)wanted + (newline - block) + 1;
		stop -= (off_t)wanted;
	}
	return 0;
}

int log_reader_tail(struct log_reader *reader, struct log_tail *tail, struct error *err)
{
	off_t end = lseek(reader->fd, 0, SEEK_END);
	bool found = false;

	if (end < 0)
		return error_os(err, "log %s", reader->path);
	/* without a record that is just being written, of which only the beginning is there */
	off_t next = record_before(reader->fd, end + 1);
	while (next > 0) {
		off_t start = record_before(reader->fd, next);
		/* a part at the very end is a line that has not ended yet */
		bool is_line = ends_line(reader->fd, start) || !tail->met;

		found = is_line && tail->lines == 0;
		if (found)
			break;
		if (!is_later(reader->fd, start, tail->until)) {
			tail->lines -= is_line;
			tail->met = true;
		}
		next = start;
		if (cli_interrupted())
			return cli_fail_interrupted(err);
	}
	if (lseek(reader->fd, next, SEEK_SET) < 0)
		return error_os(err, "log %s", reader->path);
	return found;
}

/* Whether the file was cut off before where we are, as logrotate's copytruncate does. */
static bool was_emptied(const struct log_reader *reader)
{
	struct stat status;

	return fstat(reader->fd, &status) == 0 && status.st_size < lseek(reader->fd, 0, SEEK_CUR);
}

/* Make room and read more. The number of bytes; 0 at the end of the file; -1 with err. */
static ssize_t fill(struct log_reader *reader, struct error *err)
{
	size_t unread = reader->end - reader->start;

	memmove(reader->buffer, reader->buffer + reader->start, unread);
	reader->start = 0;
	reader->end = unread;
	if (unread >= LONGEST_LINE)
		return error_set(err, ERROR_INTEGRITY, "log %s: a line is longer than %d bytes",
				 reader->path, LONGEST_LINE);
	if (reader->size - unread < BLOCK) {
		reader->size = unread + BLOCK;
		reader->buffer = xreallocarray(reader->buffer, reader->size, 1);
	}
	ssize_t got = read(reader->fd, reader->buffer + unread, reader->size - unread);
	if (got < 0)
		return error_os(err, "log %s", reader->path);
	if (got == 0 && was_emptied(reader) && lseek(reader->fd, 0, SEEK_SET) == 0) {
		reader->end = 0;
		return fill(reader, err);
	}
	reader->end += (size_t)got;
	return got;
}

int log_reader_next(struct log_reader *reader, const char **line, size_t *length, struct error *err)
{
	size_t scanned = 0;

	for (;;) {
		size_t unread = reader->end - reader->start;
		const char *at = reader->buffer + reader->start;
		const char *newline = memchr(at + scanned, '\n', unread - scanned);

		if (newline) {
			*line = at;
			*length = (size_t)(newline - at);
			reader->start += *length + 1;
			return 1;
		}
		scanned = unread;
		ssize_t got = fill(reader, err);
		if (got <= 0)
			return (int)got;
	}
}

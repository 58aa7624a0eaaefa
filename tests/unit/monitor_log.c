/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's log writer: whatever the reads, the log holds the bytes; and its time stamps. */
#include "ocid-shim/cri_log.h"
#include "ocid-shim/monitor/log.h"
#include "ocid-shim/monitor/text.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OUTPUT = 400000 };

/* A log in a memory file, and one stream whose other end is ours. */
struct rig {
	struct log log;
	struct stream stream;
	int write_fd;
};

static char stream_buffer[LOG_BUFFER];
static char records[LOG_OUT];

static void rig_open(struct rig *rig)
{
	int fds[2];

	memset(rig, 0, sizeof *rig);
	if (pipe(fds) < 0)
		exit(1);
	rig->log.fd = memfd_create("log", MFD_CLOEXEC);
	rig->log.journal.fd = -1;
	rig->log.out = records;
	rig->stream = (struct stream){ .fd = fds[0], .name = "stdout", .buffer = stream_buffer };
	rig->write_fd = fds[1];
}

static void rig_close(const struct rig *rig)
{
	close(rig->log.fd);
	close(rig->stream.fd);
	close(rig->write_fd);
}

/* Give the bytes to the log in pieces of at most `step`. */
static void feed(struct rig *rig, const char *bytes, size_t length, size_t step)
{
	while (length > 0) {
		size_t part = length < step ? length : step;

		if (write(rig->write_fd, bytes, part) != (ssize_t)part ||
		    stream_read(&rig->stream, LOG_BUFFER) != (ssize_t)part)
			exit(1);
		stream_record(&rig->log, &rig->stream, part);
		bytes += part;
		length -= part;
	}
	stream_end(&rig->log, &rig->stream);
}

/* Whether the log holds exactly those bytes, in records that are no longer than they may be and are
 * parts only where they have to. */
static bool holds(const struct rig *rig, const char *bytes, size_t length)
{
	size_t size = (size_t)lseek(rig->log.fd, 0, SEEK_END), done = 0;
	cleanup_free char *text = xcalloc(1, size + 1);
	char *at = text, *newline;

	if (pread(rig->log.fd, text, size, 0) != (ssize_t)size)
		return false;
	for (; (newline = memchr(at, '\n', (size_t)(text + size - at))); at = newline + 1) {
		struct cri_record record;
		size_t whole;

		if (!cri_record_parse(at, (size_t)(newline - at), &record))
			return false;
		whole = record.length + record.is_full;
		if (record.length > LOG_LINE_MAX || done + whole > length ||
		    memcmp(bytes + done, record.content, record.length) != 0 ||
		    (record.is_full && bytes[done + record.length] != '\n'))
			return false;
		done += whole;
		if (!record.is_full && record.length != LOG_LINE_MAX && done != length)
			return false;
	}
	return at == text + size && done == length;
}

/* Lines of all lengths, some far over the limit, no newline at the end. */
static void make_output(char *bytes, unsigned seed)
{
	size_t left = 0;

	srandom(seed);
	for (size_t i = 0; i < OUTPUT; i++) {
		if (left == 0)
			left = random() % 50 ? (size_t)random() % 200 : (size_t)random() % 80000;
		bytes[i] = left-- == 0 ? '\n' : (char)('a' + i % 26);
		if (left == (size_t)-1)
			left = 0;
	}
	bytes[OUTPUT - 1] = 'x';
}

static void check_pieces(void)
{
	static const size_t steps[] = { 1, 7, 100, 4096, 16384, 16385, 40000 };
	static char bytes[OUTPUT];

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct rig rig;
		size_t length = steps[i] == 1 ? OUTPUT / 8 : OUTPUT;

		make_output(bytes, (unsigned)i);
		rig_open(&rig);
		feed(&rig, bytes, length, steps[i]);
		ok(holds(&rig, bytes, length), "reads of %zu bytes", steps[i]);
		rig_close(&rig);
	}
}

static void check_stamps(void)
{
	static const struct {
		time_t seconds;
		long nanoseconds;
		const char *text;
	} stamps[] = {
		{ 0, 0, "1970-01-01T00:00:00.000000000Z" },
		{ 951782399, 999999999, "2000-02-28T23:59:59.999999999Z" },
		{ 951782400, 1, "2000-02-29T00:00:00.000000001Z" },
		{ 951868800, 0, "2000-03-01T00:00:00.000000000Z" },
		{ 1709251199, 0, "2024-02-29T23:59:59.000000000Z" },
		{ 1798761599, 5, "2026-12-31T23:59:59.000000005Z" },
		{ 4107542400, 0, "2100-03-01T00:00:00.000000000Z" },
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
		const struct timespec when = { stamps[i].seconds, stamps[i].nanoseconds };
		char text[STAMP_SIZE];

		stamp_format(text, &when);
		is(text, stamps[i].text, "time of %lld", (long long)stamps[i].seconds);
	}
	for (time_t day = 0; day < 80000; day++) {
		const struct timespec when = { day * 86400 + 3661, 0 };
		char ours[STAMP_SIZE], theirs[64];
		struct tm date;

		stamp_format(ours, &when);
		gmtime_r(&when.tv_sec, &date);
		strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000000000Z", &date);
		wrong += strcmp(ours, theirs) != 0;
	}
	ok(wrong == 0, "the date of each day of two centuries is the C library's");
}

int main(void)
{
	check_pieces();
	check_stamps();
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a log file that may be growing. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct stat;

struct log_reader {
	int fd;
	const char *path; /* borrowed */
	char *buffer;
	size_t size, start, end; /* of the buffer, and of what is unread in it */
};

/* Open the file `name`; path is what the log is called (borrowed). */
int log_reader_open(const char *name, const char *path, struct log_reader *reader,
		    struct error *err);
void log_reader_close(struct log_reader *reader);
#define cleanup_log_reader __attribute__((cleanup(log_reader_close)))

/* Whether that is the status of another file than the one that is read. */
bool log_reader_is_other(const struct log_reader *reader, const struct stat *status);

/* What is still to be found on the way back from the end of a log, whose lines may go over from one
 * file to the next. */
struct log_tail {
	long long lines; /* of output */
	bool met;	 /* a record was */
	long long until; /* what was written later, in nanoseconds since 1970, does not count */
};

/* Go back to where those lines begin. 1; 0 where all of the file belongs to them, and what was
 * before it may; -1 with err. */
int log_reader_tail(struct log_reader *reader, struct log_tail *tail, struct error *err);

/* The next whole line, without its newline, valid until the next call. 1; 0 when there is none
 * (yet); -1 with err. */
int log_reader_next(struct log_reader *reader, const char **line, size_t *length,
		    struct error *err);

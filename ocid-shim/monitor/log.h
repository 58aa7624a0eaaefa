/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's log in the format of the Kubernetes CRI, one record a line:
 *
 *   2026-11-24T12:45:30.987663916Z stdout F content
 *
 * F ends a line of output. P is a part of a line: one longer than LOG_LINE_MAX bytes, or what came
 * without a newline before the stream ended. A line is recorded when it is whole, however the
 * reads fell. Records are written whole or not at all: when the file system is full (or the file
 * cannot be written for another reason) they are counted and dropped, so that the container never
 * waits, and the next record that can be written comes after one that says how many were lost.
 */
#pragma once
#include "ocid-shim/monitor/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	LOG_LINE_MAX = 16384, /* bytes of output in one record; containerd's limit too */
	LOG_BUFFER = 65536,   /* bytes that are read at once */
	LOG_HEADER_SIZE = sizeof "2026-11-24T12:45:30.987663916Z stdout F ",
	LOG_OUT = 131072 /* bytes of records that are written at once */
};

struct log {
	int fd;		  /* the file, or -1: none */
	const char *path; /* its name, for rotation */
	long long size;	  /* bytes written to it by now */
	long long max;	  /* from which on it is rotated; 0: never */
	int files;	  /* how many of those before are kept */
	struct journal journal;
	unsigned long long lost, lost_total; /* records */
	char *out;			     /* of LOG_OUT bytes: records to be written */
	size_t used, records;		     /* bytes in `out`, and records, without the notice */
	bool touched;			     /* since log_trim() */
	char full[LOG_HEADER_SIZE], partial[LOG_HEADER_SIZE];
};

/* One output of the container. The buffer holds the start of a line that is not whole yet. */
struct stream {
	int fd; /* -1 once it has ended */
	const char *name;
	char *buffer; /* of LOG_BUFFER bytes */
	size_t used;
};

/* Read what is there, at most `max` bytes, to the end of the buffer. The number of bytes read; 0 at
 * the end of the stream, -1 when nothing is there now. */
ssize_t stream_read(struct stream *stream, size_t max);

/* Record the whole lines that are there now that `added` bytes were read. */
void stream_record(struct log *log, struct stream *stream, size_t added);

/* Forget all but the last `size` bytes of the buffer. */
void stream_keep_end(struct stream *stream, size_t size);

/* Record what came without a newline. */
void stream_end(struct log *log, struct stream *stream);

/* Give the memory of the buffers back to the kernel where they hold nothing. */
void stream_trim(struct stream *stream);
void log_trim(struct log *log);

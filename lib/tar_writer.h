/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a tar archive in the PAX format (POSIX.1-2001, pax): a ustar header for each entry, and
 * an extended one before it where that cannot hold a value. The same calls give the same bytes.
 */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/memory.h"

#include <stddef.h>
#include <sys/stat.h>

struct tar_writer {
	int fd;		       /* borrowed */
	const char *what;      /* the archive, for errors; borrowed */
	struct hasher *hasher; /* gets all that is written, or NULL; borrowed */
	long long written;     /* bytes */
};

struct tar_entry {
	const char *path;      /* without a slash at the end, also for a directory */
	const struct stat *st; /* kind, mode, owner, size, device number and time */
	const char *link;      /* target of a symbolic link, or NULL */
	const char *hard_link; /* the path of an earlier entry that is the same file, or NULL */
	const char *xattrs;    /* PAX records made by tar_add_record(), or NULL */
	size_t xattrs_length;
};

/* Write an entry's header. The content of a regular file, st_size bytes, must follow by
 * tar_write(), and then tar_pad(). ERROR_UNSUPPORTED for a kind that archives cannot hold. */
int tar_write_header(struct tar_writer *tar, const struct tar_entry *entry, struct error *err);
int tar_write(struct tar_writer *tar, const void *data, size_t length, struct error *err);
int tar_pad(struct tar_writer *tar, struct error *err);

/* The content of a regular file from its descriptor, in place of both, by way of a buffer of the
 * caller's. ERROR_TEMPORARY when the file is shorter. */
int tar_write_file(struct tar_writer *tar, int fd, long long size, void *buffer, size_t length,
		   struct error *err);

/* The end of the archive. */
int tar_finish(struct tar_writer *tar, struct error *err);

/* A growing text of PAX records, "LENGTH KEY=VALUE\n"; values may be any bytes. */
struct tar_records {
	char *bytes;
	size_t length;
};

void tar_add_record(struct tar_records *records, const char *key, const void *value, size_t length);
void tar_records_free(struct tar_records *records);

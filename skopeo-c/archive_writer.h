/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a tar archive of images. In a file every blob has its place, so that several are written
 * at once; the archive takes its name when it is finished. An archive that is there already keeps
 * what it holds. A pipe, standard output and a socket take one blob after the other.
 */
#pragma once
#include "skopeo-c/archive.h"
#include "skopeo-c/blob_sink.h"

struct archive_writer {
	char *path; /* for errors */
	int fd;
	bool is_stream, is_finished;
	int64_t end;	     /* of what is written or has its place */
	struct archive *old; /* what was there before, or NULL; its members have been taken over */
	int lock_fd;	     /* of the name, against other writers; -1 for streams */
	char *temporary;     /* the name until it is finished, or NULL */
	bool made_name;	     /* the name was not there before */
	json_t *places;	     /* name: offset of the content */
	json_t *unfinished;  /* the names of those of them whose content is not all there */
	int64_t open_size;   /* of a stream: of the member whose content is under way */
};

/* "-" and /dev/stdout. */
bool archive_is_stdout(const char *path);

/* Open standard output or a file. What an old archive holds is kept, but for the members that
 * are named in `renewed`, an array that ends with NULL. */
int archive_writer_open(const char *path, const char *const *renewed, struct archive_writer *writer,
			struct error *err);
/* The same for a connection, which is taken over. */
void archive_writer_open_stream(int fd, const char *path, struct archive_writer *writer);
void archive_writer_close(struct archive_writer *writer);

/* Whether the blob is there, 1 or 0. One that was before is read: who loads an archive of docker
 * save takes what has the name, and does not look whether it is right. */
int archive_writer_has_blob(const struct archive_writer *writer, const char *name,
			    const struct blob *blob, struct error *err);

/* Give a sink the place of a member. The same name again gets the same place, but in a stream. */
int archive_writer_offer(struct archive_writer *writer, const char *name, int64_t size,
			 struct blob_sink *sink, struct error *err);
/* The content is there. */
int archive_writer_commit(struct archive_writer *writer, const char *name, struct error *err);

/* A place for content whose name and size are not known before all of it is there: a descriptor at
 * its beginning, which is the caller's; -1 in *fd for a stream, which has none. One at a time,
 * without another offer meanwhile; the same again gets the same place. */
int archive_writer_lend(struct archive_writer *writer, int *fd, struct error *err);
/* The content is there, or a member of that name is already. */
int archive_writer_take(struct archive_writer *writer, const char *name, int64_t size,
			struct error *err);

/* Write a small member. */
int archive_writer_add(struct archive_writer *writer, const char *name, const void *data,
		       size_t length, struct error *err);

/* The end: now the archive has its name. */
int archive_writer_finish(struct archive_writer *writer, struct error *err);

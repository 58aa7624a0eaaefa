/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a tar archive of images. Of a file only the headers are read at first, and each member is
 * then read in place. Of a stream, and of a file that is compressed, the members are kept in
 * unnamed files: large ones in one of their own, which a destination on the same file system can
 * take over.
 */
#pragma once
#include "lib/digest.h"
#include "skopeo-c/blob_source.h"

#include <jansson.h>

struct archive_member {
	char *name; /* without "./" and "/" before it */
	char *link;
	char type; /* as in tar.h */
	int64_t size, offset;
	int fd;			  /* its own file, where it has one; else -1 */
	char digest[DIGEST_SIZE]; /* sha256 once it is known: of a stream at once; else "" */
};

struct archive {
	char *path; /* for errors */
	int fd;	    /* of the file, or of what is kept of a stream; -1: nothing */
	struct archive_member *members;
	size_t count;
	json_t *last; /* of a name, where in members the last one is: that one counts */
};

/* Open a file; "-" and /dev/stdin are standard input. spool_directory: as for spool_open(). */
struct archive *archive_open(const char *path, const char *spool_directory, struct error *err);
/* The same for a descriptor, which is taken over. */
struct archive *archive_open_fd(int fd, const char *path, const char *spool_directory,
				struct error *err);
void archive_free(struct archive *archive);

/* The regular file of that name, links followed; of several the last counts. NULL where there is
 * none. */
const struct archive_member *archive_find(const struct archive *archive, const char *name);

/* Read a small file whole. ERROR_NOT_FOUND without it. The caller frees it. */
char *archive_read(const struct archive *archive, const char *name, size_t max, size_t *length,
		   struct error *err);
json_t *archive_read_json(const struct archive *archive, const char *name, struct error *err);

/* The member as a source; digest: what it must have, for the destination's sake. */
int archive_source(const struct archive *archive, const struct archive_member *member,
		   const char *digest, struct blob_source *source, struct error *err);

/* A descriptor at the beginning of the member's content, with a file offset of its own. */
int archive_reopen(const struct archive *archive, const struct archive_member *member,
		   struct error *err);

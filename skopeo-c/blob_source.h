/* SPDX-License-Identifier: Apache-2.0 */
/* Where blobs are read from: what a transport gives for one, and whole blobs that are small. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/registry.h"

#include <stdbool.h>
#include <sys/types.h>

struct transport;

/* Where the bytes of a blob come from: a file, something that makes them, or a call that is not
 * started. */
struct blob_source {
	int fd;		 /* at the blob's beginning, with a file offset of its own; -1: none */
	json_int_t rest; /* bytes of the file that are the blob's; -1: up to its end */
	/* an unnamed file, only the blob's, whose digest is known to be right: a destination on the
	 * same file system may take the file itself */
	bool is_whole;
	/* where it is not NULL, makes the next bytes; 0 at the end */
	ssize_t (*make)(void *maker, void *buffer, size_t size, struct error *err);
	void *maker; /* owned: end_making() frees it */
	void (*end_making)(void *maker);
	struct registry_call call;
};

#define BLOB_SOURCE_NONE ((struct blob_source){ .fd = -1, .rest = -1 })

static inline bool blob_source_is_call(const struct blob_source *source)
{
	return source->fd < 0 && !source->make;
}

/* Read the next bytes of a source that is no call; 0 at the end. `what` names it in errors. */
ssize_t blob_source_read(struct blob_source *source, void *buffer, size_t size, const char *what,
			 struct error *err);

/* Read to the end: the digest by the algorithm of `like`, and how many bytes there were. */
int blob_source_hash(struct blob_source *source, const char *like, const char *what,
		     char digest[static DIGEST_SIZE], json_int_t *size, struct error *err);

bool blob_source_is_answered(struct blob_source *source);

/* Close descriptors and leave the loop; it is BLOB_SOURCE_NONE afterwards. */
void blob_source_close(struct blob_source *source);

/* Read a small blob (a config) whole and check it; ERROR_LIMIT above MANIFEST_MAX bytes. The caller
 * frees it. */
char *transport_read_blob(struct transport *t, const struct blob *blob, struct error *err);
/* The same in two steps. Between them what comes from a registry is under way, and is there once
 * blob_source_is_answered(). The first one leaves the source closed where it fails. */
int transport_begin_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err);
char *transport_end_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			 struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a blob go: into a file, through a function, or to a registry. Files of
 * directories have no name until they are whole, but for downloads that are worth going on with
 * when they end early: those stay, under the name that lib/partial.h gives them.
 */
#pragma once
#include "lib/error.h"
#include "lib/partial.h"
#include "skopeo-c/registry.h"

#include <jansson.h>
#include <stdbool.h>

struct blob;
struct upload;

enum { PARTIAL_MIN = 1 << 20 /* bytes of a blob that are worth keeping */ };

struct blob_sink {
	enum { SINK_ASKING, SINK_WANTED, SINK_PRESENT } state;
	int fd;	    /* a new file for the bytes; -1: the call, which is not started */
	int dir_fd; /* where the file is; borrowed; -1: nowhere, it is a place in a file */
	/* where it is not NULL, takes the bytes instead of the file; owned by the transport */
	int (*take)(void *taker, const void *data, size_t length, struct error *err);
	void *taker;
	/* its name there until it is committed; "" for a file without */
	char temporary[PARTIAL_NAME_SIZE];
	int partials_fd; /* where a download may be kept when it ends early (borrowed); or -1 */
	bool is_on_disk; /* the disk has all bytes of the file; for commit_blob */
	bool is_partial; /* the file has bytes that are worth keeping then: not removed */
	struct registry_call call;
	struct upload *upload; /* upload.c's, about the call; or NULL */
	json_int_t offset;     /* bytes of the blob that the registry has already */
	bool knows_other_way;  /* it has failed, and may be begun again at once in another way */
	json_int_t part_left;  /* bytes of those behind that are to be given to the call */
};

#define BLOB_SINK_NONE ((struct blob_sink){ .fd = -1, .dir_fd = -1, .partials_fd = -1 })

static inline bool blob_sink_is_call(const struct blob_sink *sink)
{
	return sink->fd < 0 && !sink->take;
}

/* Close descriptors, remove the file unless it was kept, leave the loop; it is BLOB_SINK_NONE
 * afterwards. */
void blob_sink_close(struct blob_sink *sink);

/* For destinations that are directories: a new file in dir_fd that nobody sees until it is given a
 * name (where the file system can do that). blob_sink_close() removes it unless it was kept. */
int blob_sink_open_file(struct blob_sink *sink, int dir_fd, struct error *err);
/* Take the file of an earlier download of the blob in its place, or one that stays where this one
 * ends early; both in partials_fd. False, with the sink as it was, where there can be none. */
bool blob_sink_open_partial(struct blob_sink *sink, const struct blob *blob);
/* Give the file a temporary name in dir_fd, sink->temporary, and make it readable. */
int blob_sink_name_file(struct blob_sink *sink, struct error *err);
/* The file has its final name now. */
void blob_sink_keep_file(struct blob_sink *sink);

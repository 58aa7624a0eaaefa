/* SPDX-License-Identifier: Apache-2.0 */
/* One layer on its way into a file, compressed anew or only measured. The work is done in threads
 * of its own. */
#pragma once
#include "lib/digest.h"
#include "skopeo-c/compression.h"

#include <jansson.h>
#include <stdbool.h>

struct recoded {
	int fd; /* owned, see lib/cleanup.h */
	char digest[DIGEST_SIZE], diff_id[DIGEST_SIZE];
	json_int_t size;
};

struct recoder;

/* What becomes of a layer. */
struct recoding {
	bool keep; /* its bytes stay: only the digests and the size are wanted */
	enum compression way;
	int level;	       /* 0: the default of the way */
	const char *directory; /* as for spool_open() */
	/* shown the tar on its way, in a thread; or NULL */
	byte_sink *look;
	void *looking;
};

/* fd: where the result goes, taken over; -1: into an unnamed file. */
struct recoder *recoder_new(const struct recoding *recoding, int fd, struct error *err);
/* A byte sink, for the layer as it is. */
int recoder_write(void *recoder, const void *data, size_t length, struct error *err);
/* ERROR_INTEGRITY where the layer ends in the middle of its compressed data. */
int recoder_finish(struct recoder *recoder, struct recoded *recoded, struct error *err);
void recoder_free(struct recoder *recoder);

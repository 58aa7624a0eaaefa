/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one blob from a source to a sink. What comes from a registry or is made is hashed as
 * it passes; its last byte is held back from an upload until the digest of all is known to be
 * right, so that a registry never sees a whole blob that is wrong. A file is uploaded as it is: the
 * registry has to hash it in any case. A download that breaks off goes on where it broke, with the
 * hasher and the sink as they are.
 */
#pragma once
#include "lib/settling.h"
#include "skopeo-c/blob_sink.h"
#include "skopeo-c/blob_source.h"
#include "skopeo-c/hashing.h"

struct flow {
	const struct blob *blob; /* its size may be -1, unknown, where it goes to a file */
	const char *from, *to;	 /* the transports, for errors */
	struct blob_source source;
	struct blob_sink sink;
	struct hashing *hashing; /* borrowed; NULL: what is taken is hashed at once */
	struct hashed hashed;
	struct settling *settling; /* borrowed; NULL: the sink's file is not written to the disk */
	struct settled settled;
	json_int_t seen; /* what was received when last looked at: a piece does not wait for more */
	unsigned char *piece; /* of hashing: what was taken and is not put away yet; or NULL */
	size_t piece_length;
	json_int_t received, given; /* bytes taken from the source, given to an upload */
	json_int_t kept;	    /* bytes written to the sink's file */
	bool verified;		    /* all bytes were there and the digest is right */
	bool is_file;		    /* that is uploaded: who is given it hashes it */
	json_int_t file_start;	    /* the offset of its first byte */
	bool failed;		    /* a callback has ended it with `failure` */
	struct error failure;
	char *ring; /* registry to registry only */
	size_t ring_start, ring_used;
	bool download_paused, upload_paused;
	bool is_continued;	/* the download was asked for again, from a byte on */
	bool is_taken_up;	/* its first bytes are an earlier process's */
	bool answer_is_checked; /* the headers of the present answer */
	json_int_t known;	/* bytes of it that come first and are here already */
};

/* Get the source and the sink, both open, to work on each other: calls are prepared, not started.
 */
int flow_begin(struct flow *flow, struct error *err);

/* Move everything at once, where neither side is a call. `tell` is called now and then. */
int flow_run(struct flow *flow, int (*tell)(void *context, struct error *err), void *context,
	     struct error *err);

/* The sink's file is whole: what of it is not on the disk goes there. */
void flow_settle(struct flow *flow);

/* All bytes have been received: are they the blob? */
int flow_verify(struct flow *flow, struct error *err);

/* The upload was answered by a refusal, which `err` is. Where the reason is that the file is not
 * the blob say that instead. Returns -1. */
int flow_refused(struct flow *flow, struct error *err);

/* Let a call go on that the other one has held up, and put away what no more has come to. */
void flow_resume(struct flow *flow);

/* flow_continue.c. Take up the download, a call, where an earlier process has left it, as far as
 * the sink keeps such; it is verified then where that was all of it. */
int flow_take_up(struct flow *flow, struct error *err);
/* The download, a call, has ended early: true when it can be asked for the rest.
 */
bool flow_can_continue(const struct flow *flow);
/* Ask for the rest. An answer that begins at the beginning is passed over as far as it is known. */
void flow_continue(struct flow *flow);
/* Before the first byte of an answer is taken: does it promise the bytes that were asked for? */
int flow_check_answer(struct flow *flow, struct error *err);

/* Close everything; the flow can be begun again. */
void flow_close(struct flow *flow);

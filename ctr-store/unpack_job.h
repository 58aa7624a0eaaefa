/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer of one image on its way from its blob to its place (unpacker.h decides when). A blob
 * that is not whole yet may be followed: a worker unpacks what a download has brought so far, and
 * waits for the rest. The layer is believed when all of it has the right digests, as every other;
 * where the download ends in another way the worker's work is thrown away, and the whole blob is
 * waited for.
 */
#pragma once
#include "ctr-store/backend.h"
#include "ctr-store/image.h"
#include "ctr-store/unpack_worker.h"
#include "lib/random.h"
#include "lib/staging.h"

struct store;

/* Where the layers of an unpacker are made. */
struct unpack_site {
	const struct store *store;
	struct layout layout;
	struct staging staging;
	enum backend backend;
	const struct store *model; /* layers that it has become what they are there; or NULL */
	bool mounts_apart;	   /* see unpack_lower.c */
	bool lose_writes;	   /* what is unpacked need not outlive a crash */
};

enum job_state {
	JOB_WAITING,	 /* for its blob */
	JOB_ARRIVING,	 /* its blob has begun to come, and is to be followed */
	JOB_FOLLOWING,	 /* a worker writes it as far as its blob has come */
	JOB_READY,	 /* to be started: its blob is here */
	JOB_RUNNING,	 /* a worker writes it, its blob being here */
	JOB_NEEDS_LOWER, /* its worker waits for the layers beneath */
	JOB_DONE,
	JOB_STATES
};

struct unpack_job {
	const struct image *image; /* borrowed */
	size_t position;	   /* in the image; 0 is the lowest */
	enum job_state state;
	struct unpack_worker worker;
	/* Exclusive, so that no other process does the same work; or -1. Nobody waits for that of a
	 * layer that is followed, since that would be to wait for the network. */
	int lock_fd, follow_lock_fd;
	int arriving_fd;		  /* the blob that was followed; or -1 */
	bool blob_is_here;		  /* in the store, whole */
	bool was_given_up;		  /* following it came to nothing */
	char directory[RANDOM_NAME_SIZE]; /* in the staging directory, until it is placed */
	char *id;			  /* once done */
	int tree_fd; /* a mount of what it has become, for layers above that lean; or -1 */
};

struct unpack_job *unpack_job_new(const struct image *image, size_t position);

/* Kill its worker, if any. What it has written goes with the staging directory. */
void unpack_job_free(const struct unpack_site *site, struct unpack_job *job);

static inline const struct image_layer *unpack_job_layer(const struct unpack_job *job)
{
	return &job->image->layers[job->position];
}

/* From READY: RUNNING, or DONE where the layer is there already; READY still where another job or
 * process is at it. */
int unpack_job_start(struct unpack_site *site, struct unpack_job *job, struct error *err);

/* From ARRIVING: FOLLOWING or DONE, or WAITING where there is nothing to follow. */
int unpack_job_follow(struct unpack_site *site, struct unpack_job *job, struct error *err);

/* Its blob has begun to come, or is whole and in the store. */
void unpack_job_blob_arrives(struct unpack_job *job);
void unpack_job_blob_is_here(const struct unpack_site *site, struct unpack_job *job);

/* Take in what its worker has said: DONE, NEEDS_LOWER, or nothing new. */
int unpack_job_hear(const struct unpack_site *site, struct unpack_job *job, struct error *err);

/* It may be given its place. */
static inline bool unpack_job_is_finished(const struct unpack_job *job)
{
	return job->state == JOB_DONE && job->directory[0] && job->blob_is_here;
}

/* Move a finished layer to its place, unless another process had the same idea first. */
int unpack_job_place(const struct unpack_site *site, struct unpack_job *job, struct error *err);

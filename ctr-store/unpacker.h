/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacks the layers of images that are not unpacked yet: several at once, each in a process of
 * its own, as soon as its blob is in the store, or with it as it comes. What two processes want at
 * the same time is done by one of them. Layers become visible whole and durable: all that were done
 * since the last time, whenever nothing runs.
 */
#pragma once
#include "ctr-store/backend.h"
#include "lib/error.h"

#include <stdbool.h>

struct image;
struct store;
struct unpacker;

/* The unpacker keeps gc from taking what it was given, as long as it lives. */
struct unpacker *unpacker_new(const struct store *store, struct error *err);
void unpacker_free(struct unpacker *unpacker);

static inline void unpacker_free_p(struct unpacker **unpacker)
{
	unpacker_free(*unpacker);
}
#define cleanup_unpacker __attribute__((cleanup(unpacker_free_p)))

/* What the layers are to become; it is the store's backend unless this says another. Those that are
 * unpacked already stay as they are. */
void unpacker_set_backend(struct unpacker *unpacker, enum backend backend);

/* What it unpacks is only to be compared with what that store has: each layer becomes an image or a
 * directory as it is there, and need not survive a crash, so that the disk is not waited for. */
void unpacker_imitate(struct unpacker *unpacker, const struct store *model);

/* Find out what layers become here while there is nothing else to do: to try takes a while. */
void unpacker_prepare(struct unpacker *unpacker);

/* The image is borrowed until unpacker_free(). */
void unpacker_add_image(struct unpacker *unpacker, const struct image *image);

/* This blob has begun to come into the store, or more of it has come. */
void unpacker_blob_arrives(struct unpacker *unpacker, const char *digest);

/* This blob, or each, is in the store. */
void unpacker_blob_done(struct unpacker *unpacker, const char *digest);
void unpacker_all_blobs(struct unpacker *unpacker);

/* Do what can be done and wait until something happens: to a layer, or on input_fd (-1: none). */
int unpacker_step(struct unpacker *unpacker, int input_fd, bool *input_ready, struct error *err);

/* Go on until every layer of every image is in its place. */
int unpacker_finish(struct unpacker *unpacker, struct error *err);

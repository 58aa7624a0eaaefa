/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/stream.h"

#include "ctr-store/worker/inflate.h"
#include "lib/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 8 };

struct block {
	unsigned char *data;
	size_t length;
};

struct stream {
	struct stream_settings settings;
	pthread_t thread;

	/* the thread's own until it has ended */
	struct source source;
	struct hasher stored;
	bool same; /* stored as it is, so one hash is both digests */
	const char *compression;
	char diff_id[DIGEST_SIZE];

	/* the ring; blocks [taken, filled) are for the reader, and [hashed, filled) to be hashed by
	 * the one who would wait for the other */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct block blocks[BLOCKS];
	size_t filled, taken, hashed;
	bool hashing;	     /* one of them is at block `hashed` */
	struct hasher plain; /* that one's meanwhile */
	bool ended;
	struct error failure; /* why it ended; kind is 0 at the layer's end */

	bool holding; /* the reader uses block `taken` */
};

struct stream *stream_new(const struct stream_settings *settings)
{
	struct stream *stream = xcalloc(1, sizeof *stream);

	stream->settings = *settings;
	stream->source.fd = settings->fd;
	stream->source.buffer = xcalloc(1, SOURCE_CHUNK);
	stream->source.growing_to = settings->growing_to;
	for (int i = 0; i < BLOCKS; i++)
		stream->blocks[i].data = xcalloc(1, STREAM_BLOCK);
	hasher_start(&stream->plain, settings->diff_id ? settings->diff_id : "sha256");
	if (settings->blob_digest) {
		hasher_start(&stream->stored, settings->blob_digest);
		stream->source.hasher = &stream->stored;
	}
	pthread_mutex_init(&stream->mutex, NULL);
	pthread_cond_init(&stream->changed, NULL);
	return stream;
}

/* With the mutex, which is let go of meanwhile. */
static void hash_block(struct stream *stream)
{
	const struct block *block = &stream->blocks[stream->hashed % BLOCKS];

	stream->hashing = true;
	pthread_mutex_unlock(&stream->mutex);
	hasher_update(&stream->plain, block->data, block->length);
	pthread_mutex_lock(&stream->mutex);
	stream->hashing = false;
	stream->hashed++;
	pthread_cond_signal(&stream->changed);
}

/* Wait for a block that the reader does not need any more. */
static struct block *free_block(struct stream *stream)
{
	pthread_mutex_lock(&stream->mutex);
	while (stream->filled - stream->taken == BLOCKS)
		if (stream->hashed < stream->filled && !stream->hashing)
			hash_block(stream);
		else
			pthread_cond_wait(&stream->changed, &stream->mutex);
	pthread_mutex_unlock(&stream->mutex);
	return &stream->blocks[stream->filled % BLOCKS];
}

static void publish_block(struct stream *stream)
{
	pthread_mutex_lock(&stream->mutex);
	stream->filled++;
	pthread_cond_signal(&stream->changed);
	pthread_mutex_unlock(&stream->mutex);
}

static int inflate_all(struct stream *stream, struct inflater *inflater, struct error *err)
{
	long long total = 0;

	for (;;) {
		struct block *block = free_block(stream);
		ssize_t length = inflater_read(inflater, block->data, STREAM_BLOCK, err);

		if (length < 0)
			return -1;
		if (length == 0)
			return source_drain(&stream->source, err);
		total += length;
		if (total > stream->settings.size_max) {
			error_set(err, ERROR_LIMIT,
				  "the uncompressed layer is larger than %lld bytes",
				  stream->settings.size_max);
			return error_hint(err, "see --max-size");
		}
		block->length = (size_t)length;
		publish_block(stream);
	}
}

static int produce(struct stream *stream, struct error *err)
{
	struct inflater inflater = { 0 };
	int status;

	if (inflater_start(&inflater, &stream->source, err) < 0)
		return -1;
	if (inflater.codec == &codec_none && stream->settings.blob_digest &&
	    strcmp(stream->plain.algorithm, stream->stored.algorithm) == 0) {
		stream->same = true;
		stream->source.hasher = NULL;
	}
	stream->compression = inflater.codec->name;
	status = inflate_all(stream, &inflater, err);
	inflater_stop(&inflater);
	return status;
}

static void *run(void *opaque)
{
	struct stream *stream = opaque;
	struct error failure = { 0 };

	produce(stream, &failure);
	pthread_mutex_lock(&stream->mutex);
	stream->failure = failure;
	stream->ended = true;
	pthread_cond_signal(&stream->changed);
	pthread_mutex_unlock(&stream->mutex);
	return NULL;
}

int stream_start(struct stream *stream, struct error *err)
{
	errno = pthread_create(&stream->thread, NULL, run, stream);
	if (errno)
		return error_os(err, "cannot start a thread");
	return 0;
}

/* The reader does not need its block any more. */
static void give_back(struct stream *stream)
{
	while (stream->hashed == stream->taken)
		if (!stream->hashing)
			hash_block(stream);
		else
			pthread_cond_wait(&stream->changed, &stream->mutex);
	stream->taken++;
	stream->holding = false;
	pthread_cond_signal(&stream->changed);
}

ssize_t stream_next(struct stream *stream, const void **data, struct error *err)
{
	ssize_t length = 0;

	pthread_mutex_lock(&stream->mutex);
	if (stream->holding)
		give_back(stream);
	while (stream->filled == stream->taken && !stream->ended)
		pthread_cond_wait(&stream->changed, &stream->mutex);
	if (stream->filled > stream->taken) {
		const struct block *block = &stream->blocks[stream->taken % BLOCKS];

		*data = block->data;
		length = (ssize_t)block->length;
		stream->holding = true;
	} else if (stream->failure.kind) {
		*err = stream->failure;
		length = -1;
	}
	pthread_mutex_unlock(&stream->mutex);
	return length;
}

static int check(const char *what, const char *actual, const char *expected, struct error *err)
{
	if (strcmp(actual, expected) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s is %s, expected %s", what, actual,
				 expected);
	return 0;
}

int stream_verify(struct stream *stream, struct error *err)
{
	char plain[DIGEST_SIZE], stored[DIGEST_SIZE];
	const void *data;
	ssize_t length;

	while ((length = stream_next(stream, &data, err)) > 0)
		;
	pthread_join(stream->thread, NULL);
	if (length < 0)
		return -1;

	hasher_finish(&stream->plain, plain);
	if (stream->settings.blob_digest) {
		if (stream->same)
			memcpy(stored, plain, sizeof stored);
		else
			hasher_finish(&stream->stored, stored);
		if (check("digest of the layer as stored", stored, stream->settings.blob_digest,
			  err) < 0)
			return -1;
	}
	memcpy(stream->diff_id, plain, sizeof plain);
	if (!stream->settings.diff_id)
		return 0;
	return check("digest of the uncompressed layer (diffID)", plain, stream->settings.diff_id,
		     err);
}

const char *stream_diff_id(const struct stream *stream)
{
	return stream->diff_id;
}

const char *stream_compression(const struct stream *stream)
{
	return stream->compression;
}

void stream_free(struct stream *stream)
{
	pthread_mutex_destroy(&stream->mutex);
	pthread_cond_destroy(&stream->changed);
	hasher_free(&stream->stored);
	hasher_free(&stream->plain);
	for (int i = 0; i < BLOCKS; i++)
		free(stream->blocks[i].data);
	free(stream->source.buffer);
	free(stream);
}

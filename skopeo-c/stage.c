/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/stage.h"

#include "lib/memory.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_SIZE = 32 << 10 };

struct slot {
	size_t length;
	unsigned char data[SLOT_SIZE];
};

struct stage {
	byte_sink *sink;
	void *context;
	pthread_t thread;
	pthread_mutex_t mutex; /* for all that follows but the data of slots */
	pthread_cond_t changed;
	size_t first, used; /* slots that are full */
	bool ends, cancelled, failed, started;
	struct error failure;
	size_t filling; /* bytes in the slot behind the full ones: the writer's own */
	size_t count;
	struct slot slots[];
};

static void *work(void *context)
{
	struct stage *stage = context;
	size_t least =
		1; /* once the queue was empty, half of it: to wait for each slot costs more */

	pthread_mutex_lock(&stage->mutex);
	for (;;) {
		while (stage->used < least && !stage->ends && !stage->cancelled)
			pthread_cond_wait(&stage->changed, &stage->mutex);
		if (stage->used == 0 || stage->cancelled)
			break;
		const struct slot *slot = &stage->slots[stage->first];
		struct error err;
		bool skip = stage->failed;

		pthread_mutex_unlock(&stage->mutex);
		int status = skip ? 0 : stage->sink(stage->context, slot->data, slot->length, &err);
		pthread_mutex_lock(&stage->mutex);
		if (status < 0) {
			stage->failed = true;
			stage->failure = err;
		}
		stage->first = (stage->first + 1) % stage->count;
		stage->used--;
		least = stage->used > 0 ? 1 : stage->count / 2;
		pthread_cond_signal(&stage->changed);
	}
	pthread_mutex_unlock(&stage->mutex);
	return NULL;
}

struct stage *stage_new(byte_sink *sink, void *context, size_t slots, struct error *err)
{
	struct stage *stage = xcalloc(1, sizeof *stage + slots * sizeof stage->slots[0]);

	stage->count = slots;
	stage->sink = sink;
	stage->context = context;
	pthread_mutex_init(&stage->mutex, NULL);
	pthread_cond_init(&stage->changed, NULL);
	stage->started = thread_start(&stage->thread, work, stage);
	if (stage->started)
		return stage;
	stage_free(stage);
	error_set(err, ERROR_LIMIT, "no further thread can be started");
	return NULL;
}

static int failure_of(const struct stage *stage, struct error *err)
{
	*err = stage->failure;
	return -1;
}

/* Hand the slot that was filled over; waits until there is a free one again. */
static int pass_slot(struct stage *stage, struct error *err)
{
	int status = 0;

	pthread_mutex_lock(&stage->mutex);
	stage->slots[(stage->first + stage->used) % stage->count].length = stage->filling;
	stage->used++;
	if (stage->used >= stage->count / 2)
		pthread_cond_signal(&stage->changed);
	while (stage->used == stage->count)
		pthread_cond_wait(&stage->changed, &stage->mutex);
	if (stage->failed)
		status = failure_of(stage, err);
	pthread_mutex_unlock(&stage->mutex);
	stage->filling = 0;
	return status;
}

/* The slot that is free for the writer. */
static struct slot *free_slot(struct stage *stage)
{
	pthread_mutex_lock(&stage->mutex);
	struct slot *slot = &stage->slots[(stage->first + stage->used) % stage->count];
	pthread_mutex_unlock(&stage->mutex);
	return slot;
}

int stage_write(void *context, const void *data, size_t length, struct error *err)
{
	struct stage *stage = context;
	const unsigned char *at = data;

	while (length > 0) {
		struct slot *slot = free_slot(stage);
		size_t part = sizeof slot->data - stage->filling;

		part = part < length ? part : length;
		memcpy(slot->data + stage->filling, at, part);
		stage->filling += part;
		at += part;
		length -= part;
		if (stage->filling == sizeof slot->data && pass_slot(stage, err) < 0)
			return -1;
	}
	return 0;
}

static void join(struct stage *stage)
{
	if (!stage->started)
		return;
	pthread_mutex_lock(&stage->mutex);
	stage->ends = true;
	pthread_cond_signal(&stage->changed);
	pthread_mutex_unlock(&stage->mutex);
	pthread_join(stage->thread, NULL);
	stage->started = false;
}

int stage_finish(struct stage *stage, struct error *err)
{
	if (stage->filling > 0 && pass_slot(stage, err) < 0)
		return -1;
	join(stage);
	return stage->failed ? failure_of(stage, err) : 0;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	if (stage->started) {
		pthread_mutex_lock(&stage->mutex);
		stage->cancelled = true;
		pthread_mutex_unlock(&stage->mutex);
		join(stage);
	}
	pthread_mutex_destroy(&stage->mutex);
	pthread_cond_destroy(&stage->changed);
	free(stage);
}

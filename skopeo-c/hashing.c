/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/hashing.h"

#include "lib/memory.h"
#include "skopeo-c/thread.h"

#include <stdlib.h>

enum { MOVING = 8 /* slots that wait to be hashed, at most */ };

struct piece {
	unsigned char *slot;
	size_t length;
	struct hashed *hashed;
};

struct hashing {
	pthread_t thread;
	pthread_mutex_t mutex;		  /* for all that follows */
	pthread_cond_t arrived, finished; /* a piece, for the thread; one of them, for the other */
	struct piece queue[MOVING];
	size_t first, queued;
	bool ends;
	unsigned char **free_slots; /* a stack: the last one used is still in the cache */
	size_t free_count;
	unsigned char *memory;
};

static void *work(void *context)
{
	struct hashing *hashing = context;

	pthread_mutex_lock(&hashing->mutex);
	for (;;) {
		while (hashing->queued == 0 && !hashing->ends)
			pthread_cond_wait(&hashing->arrived, &hashing->mutex);
		if (hashing->queued == 0)
			break;
		const struct piece *piece = &hashing->queue[hashing->first];
		pthread_mutex_unlock(&hashing->mutex);
		hasher_update(&piece->hashed->hasher, piece->slot, piece->length);
		pthread_mutex_lock(&hashing->mutex);
		piece->hashed->pending--;
		hashing->free_slots[hashing->free_count++] = piece->slot;
		hashing->first = (hashing->first + 1) % MOVING;
		hashing->queued--;
		pthread_cond_signal(&hashing->finished);
	}
	pthread_mutex_unlock(&hashing->mutex);
	return NULL;
}

static void free_memory(struct hashing *hashing)
{
	pthread_mutex_destroy(&hashing->mutex);
	pthread_cond_destroy(&hashing->arrived);
	pthread_cond_destroy(&hashing->finished);
	free(hashing->free_slots);
	free(hashing->memory);
	free(hashing);
}

struct hashing *hashing_new(size_t holders)
{
	struct hashing *hashing = xcalloc(1, sizeof *hashing);
	size_t count = holders + MOVING;

	pthread_mutex_init(&hashing->mutex, NULL);
	pthread_cond_init(&hashing->arrived, NULL);
	pthread_cond_init(&hashing->finished, NULL);
	hashing->memory = xcalloc(count, HASHING_SLOT);
	hashing->free_slots = xcalloc(count, sizeof *hashing->free_slots);
	while (hashing->free_count < count) {
		hashing->free_slots[hashing->free_count] =
			hashing->memory + hashing->free_count * HASHING_SLOT;
		hashing->free_count++;
	}
	if (thread_start(&hashing->thread, work, hashing))
		return hashing;
	free_memory(hashing);
	return NULL;
}

unsigned char *hashing_slot(struct hashing *hashing)
{
	pthread_mutex_lock(&hashing->mutex);
	unsigned char *slot = hashing->free_slots[--hashing->free_count];
	pthread_mutex_unlock(&hashing->mutex);
	return slot;
}

void hashing_pass(struct hashing *hashing, unsigned char *slot, size_t length,
		  struct hashed *hashed)
{
	pthread_mutex_lock(&hashing->mutex);
	/* to be woken up for each place that becomes free costs more than it brings */
	if (hashing->queued == MOVING)
		while (hashing->queued > MOVING / 2)
			pthread_cond_wait(&hashing->finished, &hashing->mutex);
	struct piece *piece = &hashing->queue[(hashing->first + hashing->queued) % MOVING];
	piece->slot = slot;
	piece->length = length;
	piece->hashed = hashed;
	hashing->queued++;
	hashed->pending++;
	pthread_cond_signal(&hashing->arrived);
	pthread_mutex_unlock(&hashing->mutex);
}

void hashing_drop(struct hashing *hashing, unsigned char *slot)
{
	pthread_mutex_lock(&hashing->mutex);
	hashing->free_slots[hashing->free_count++] = slot;
	pthread_mutex_unlock(&hashing->mutex);
}

void hashing_wait(struct hashing *hashing, struct hashed *hashed)
{
	pthread_mutex_lock(&hashing->mutex);
	while (hashed->pending > 0)
		pthread_cond_wait(&hashing->finished, &hashing->mutex);
	pthread_mutex_unlock(&hashing->mutex);
}

void hashing_free(struct hashing *hashing)
{
	if (!hashing)
		return;
	pthread_mutex_lock(&hashing->mutex);
	hashing->ends = true;
	pthread_cond_signal(&hashing->arrived);
	pthread_mutex_unlock(&hashing->mutex);
	pthread_join(hashing->thread, NULL);
	free_memory(hashing);
}

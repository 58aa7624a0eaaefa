/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/hashing.h"

#include "lib/memory.h"
#include "lib/thread.h"

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
	pthread_cond_t arrived, finished; /* pieces, for the thread; for the other */
	struct piece queue[MOVING];
	size_t first, queued;
	bool ends, is_awaited;	    /* is_awaited: nothing may wait for more */
	unsigned char **free_slots; /* a stack: the last one used is still in the cache */
	size_t free_count;
	unsigned char *memory;
};

/* False at the end. Once there was nothing left some pieces are waited for: to be woken up for
 * each of them costs more than it brings. */
static bool wait_for_work(struct hashing *hashing)
{
	size_t least = hashing->queued > 0 ? 1 : MOVING / 2;

	while (hashing->queued < least && !hashing->ends &&
	       !(hashing->is_awaited && hashing->queued > 0))
		pthread_cond_wait(&hashing->arrived, &hashing->mutex);
	return hashing->queued > 0;
}

static void *work(void *context)
{
	struct hashing *hashing = context;

	pthread_mutex_lock(&hashing->mutex);
	while (wait_for_work(hashing)) {
		const struct piece *piece = &hashing->queue[hashing->first];
		pthread_mutex_unlock(&hashing->mutex);
		hasher_update(&piece->hashed->hasher, piece->slot, piece->length);
		pthread_mutex_lock(&hashing->mutex);
		piece->hashed->pending--;
		hashing->free_slots[hashing->free_count++] = piece->slot;
		hashing->first = (hashing->first + 1) % MOVING;
		hashing->queued--;
		if (hashing->queued == MOVING / 2 || hashing->is_awaited)
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
	if (hashing->queued == MOVING)
		while (hashing->queued > MOVING / 2)
			pthread_cond_wait(&hashing->finished, &hashing->mutex);
	struct piece *piece = &hashing->queue[(hashing->first + hashing->queued) % MOVING];
	piece->slot = slot;
	piece->length = length;
	piece->hashed = hashed;
	hashing->queued++;
	hashed->pending++;
	if (hashing->queued == MOVING / 2)
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
	hashing->is_awaited = true;
	pthread_cond_signal(&hashing->arrived);
	while (hashed->pending > 0)
		pthread_cond_wait(&hashing->finished, &hashing->mutex);
	hashing->is_awaited = false;
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

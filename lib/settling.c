/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/settling.h"

#include "lib/memory.h"
#include "lib/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP = 8 << 20 /* bytes for which the disk is asked, but for the last ones */ };

struct settling {
	pthread_t thread;
	pthread_mutex_t mutex;		/* for all that follows, and the files */
	pthread_cond_t arrived, let_go; /* for the thread: something to do; for the other one */
	struct settled **files;		/* NULL: a free place */
	size_t count;
	const struct settled *under_way;
	bool ends;
	void (*wake)(void *context);
	void *context;
};

static bool is_wanted(const struct settled *file)
{
	return !file->is_done && (file->is_whole || file->waiting >= STEP);
}

/* The one with most to be written, or NULL. */
static struct settled *choose(const struct settling *settling)
{
	struct settled *chosen = NULL;

	for (size_t i = 0; i < settling->count; i++) {
		struct settled *file = settling->files[i];

		if (file && is_wanted(file) && (!chosen || file->waiting > chosen->waiting))
			chosen = file;
	}
	return chosen;
}

static struct settled *wait_for_work(struct settling *settling)
{
	struct settled *file = NULL;

	while (!settling->ends && !(file = choose(settling)))
		pthread_cond_wait(&settling->arrived, &settling->mutex);
	return file;
}

static void *work(void *context)
{
	struct settling *settling = context;
	struct settled *file;

	pthread_mutex_lock(&settling->mutex);
	while ((file = wait_for_work(settling))) {
		bool is_whole = file->is_whole;

		file->waiting = 0;
		settling->under_way = file;
		pthread_mutex_unlock(&settling->mutex);
		/* the size is part of it */
		int failure = fdatasync(file->fd) < 0 ? errno : 0;
		pthread_mutex_lock(&settling->mutex);
		settling->under_way = NULL;
		/* the kernel tells each failure once */
		if (failure)
			file->failure = failure;
		file->is_done = is_whole;
		pthread_cond_signal(&settling->let_go);
		if (is_whole && settling->wake)
			settling->wake(settling->context);
	}
	pthread_mutex_unlock(&settling->mutex);
	return NULL;
}

static void free_memory(struct settling *settling)
{
	pthread_mutex_destroy(&settling->mutex);
	pthread_cond_destroy(&settling->arrived);
	pthread_cond_destroy(&settling->let_go);
	free(settling->files);
	free(settling);
}

struct settling *settling_new(size_t files, void (*wake)(void *context), void *context)
{
	struct settling *settling = xcalloc(1, sizeof *settling);

	pthread_mutex_init(&settling->mutex, NULL);
	pthread_cond_init(&settling->arrived, NULL);
	pthread_cond_init(&settling->let_go, NULL);
	settling->files = xcalloc(files, sizeof(struct settled *));
	settling->count = files;
	settling->wake = wake;
	settling->context = context;
	if (thread_start(&settling->thread, work, settling))
		return settling;
	free_memory(settling);
	return NULL;
}

void settling_begin(struct settling *settling, struct settled *file, int fd)
{
	size_t i = 0;

	*file = (struct settled){ .fd = fd, .is_begun = true };
	pthread_mutex_lock(&settling->mutex);
	while (settling->files[i])
		i++;
	settling->files[i] = file;
	pthread_mutex_unlock(&settling->mutex);
}

bool settling_is_begun(const struct settled *file)
{
	return file->is_begun;
}

void settling_grow(struct settling *settling, struct settled *file, size_t bytes)
{
	pthread_mutex_lock(&settling->mutex);
	bool was_wanted = is_wanted(file);

	file->waiting += bytes;
	if (!was_wanted && is_wanted(file))
		pthread_cond_signal(&settling->arrived);
	pthread_mutex_unlock(&settling->mutex);
}

void settling_finish(struct settling *settling, struct settled *file)
{
	pthread_mutex_lock(&settling->mutex);
	file->is_whole = true;
	pthread_cond_signal(&settling->arrived);
	pthread_mutex_unlock(&settling->mutex);
}

bool settling_is_done(struct settling *settling, const struct settled *file)
{
	pthread_mutex_lock(&settling->mutex);
	bool is_done = file->is_done;
	pthread_mutex_unlock(&settling->mutex);
	return is_done;
}

int settling_end(struct settling *settling, struct settled *file, const char *what,
		 struct error *err)
{
	if (!file->is_begun)
		return 0;
	pthread_mutex_lock(&settling->mutex);
	while (settling->under_way == file || (file->is_whole && !file->is_done))
		pthread_cond_wait(&settling->let_go, &settling->mutex);
	for (size_t i = 0; i < settling->count; i++)
		if (settling->files[i] == file)
			settling->files[i] = NULL;
	pthread_mutex_unlock(&settling->mutex);
	file->is_begun = false;
	errno = file->failure;
	return errno ? error_os(err, "%s", what) : 0;
}

void settling_free(struct settling *settling)
{
	if (!settling)
		return;
	pthread_mutex_lock(&settling->mutex);
	settling->ends = true;
	pthread_cond_signal(&settling->arrived);
	pthread_mutex_unlock(&settling->mutex);
	pthread_join(settling->thread, NULL);
	free_memory(settling);
}

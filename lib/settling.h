/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that go to the disk while they grow, in a thread of its own. A disk that is asked once, at
 * the end, has most of its work before it still: what is in its cache has to come out of it, while
 * everything waits. One thread serves any number of files, first the one with most to be written.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct settling;

/* One file's. Zero-initialise; all is private. */
struct settled {
	int fd;
	size_t waiting; /* bytes that the disk was not asked for yet */
	bool is_begun, is_whole, is_done;
	int failure; /* of errno; 0 for none */
};

/* For so many files at a time. `wake`, or NULL, is called in that thread when a file is done. NULL
 * where there can be no thread. */
struct settling *settling_new(size_t files, void (*wake)(void *context), void *context);

/* fd stays open until settling_end(). */
void settling_begin(struct settling *settling, struct settled *file, int fd);
bool settling_is_begun(const struct settled *file);
/* The file has so many bytes more. */
void settling_grow(struct settling *settling, struct settled *file, size_t bytes);
/* The file has all. */
void settling_finish(struct settling *settling, struct settled *file);
bool settling_is_done(struct settling *settling, const struct settled *file);

/* Have nothing to do with the file any more: wait until it is on the disk where it was finished,
 * else until the thread lets go of it. `what` names it in errors. One not begun is fine. */
int settling_end(struct settling *settling, struct settled *file, const char *what,
		 struct error *err);

/* No file may be left. NULL is fine. */
void settling_free(struct settling *settling);

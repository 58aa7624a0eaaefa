/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte sink that works in a thread of its own, behind a queue: who writes goes on meanwhile, and
 * waits only when the queue is full. Errors come out of a later write, or of the end.
 */
#pragma once
#include "skopeo-c/byte_sink.h"

struct stage;

enum { STAGE_SLOTS = 8, STAGE_SLOTS_MANY = 16 };

/* What `sink` is given has at most 32 KiB; of that size the queue has `slots`, at least 2: the
 * more, the seldomer one thread has to wake the other. */
struct stage *stage_new(byte_sink *sink, void *context, size_t slots, struct error *err);

/* stage_write() is a byte sink, with the stage as its context. */
int stage_write(void *stage, const void *data, size_t length, struct error *err);

/* Wait until the sink has taken everything. */
int stage_finish(struct stage *stage, struct error *err);

/* What is still in the queue is dropped. */
void stage_free(struct stage *stage);

/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that a function waits for, over epoll(7), level-triggered. */
#pragma once
#include "lib/error.h"

#include <stdint.h>

struct watch {
	int fd;
	void (*ready)(void *owner, uint32_t events);
	void *owner;
};

int loop_open(struct error *err);

/* Wait for input, until loop_change() says otherwise. */
int loop_add(int loop_fd, struct watch *watch, struct error *err);
void loop_change(int loop_fd, struct watch *watch, uint32_t events);
void loop_remove(int loop_fd, const struct watch *watch);

/* Wait, at most timeout_ms (-1: for ever), and serve one watch. One at a time, so that what it
 * frees cannot be among others that are ready. */
int loop_step(int loop_fd, int timeout_ms, struct error *err);

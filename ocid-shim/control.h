/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to a container's monitor (monitor/protocol.h). */
#pragma once
#include "lib/error.h"

#include <stddef.h>

struct container;

/* Send a message with a descriptor (-1: none). Returns the socket on which the monitor answers, the
 * caller's. ERROR_NOT_FOUND when the container has stopped. */
int control_request(const struct container *container, const void *message, size_t length,
		    int passed_fd, struct error *err);

/* How long the answer is waited for, in place of ten seconds; 0: without limit. */
void control_set_patience(int answer_fd, int seconds);

/* Wait for the answer, which is at most `size` bytes with at most one descriptor (received_fd: the
 * caller's, -1 where there is none; NULL: none is wanted). Returns its length; 0 when the monitor
 * refuses. ERROR_TEMPORARY when it says nothing in that time. */
int control_answer(const struct container *container, int answer_fd, void *answer, size_t size,
		   int *received_fd, struct error *err);

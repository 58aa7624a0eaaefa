/* SPDX-License-Identifier: Apache-2.0 */
/* Text in fixed buffers, without stdio. What does not fit is cut; the result ends with NUL. */
#pragma once
#include <stddef.h>
#include <time.h>

struct text {
	char *buffer;
	size_t size, length;
};

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t length);
void text_add_number(struct text *text, long long number);

enum { STAMP_SIZE = sizeof "2026-11-24T12:45:30.987663916Z" };

/* The time as RFC 3339 with nine digits of a second, in UTC. */
void stamp_format(char stamp[static STAMP_SIZE], const struct timespec *time);

/* The same for now. */
void stamp_now(char stamp[static STAMP_SIZE]);

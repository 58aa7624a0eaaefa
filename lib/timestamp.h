/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as text, RFC 3339; ours are in UTC with nanoseconds. */
#pragma once
#include <stdbool.h>

enum { TIMESTAMP_SIZE = sizeof "2026-01-02T03:04:05.123456789Z" };

void timestamp_now(char text[static TIMESTAMP_SIZE]);

/* Whether the text is a time as Go reads one from JSON: RFC 3339, with any fraction and offset. */
bool timestamp_is_valid(const char *text);

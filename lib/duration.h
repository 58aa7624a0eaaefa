/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of time as Go, and so the tools that ours stand in for, write them. Pure. */
#pragma once
#include <stdint.h>

enum { DURATION_MAX_MS = 1 << 30 }; /* twelve days, for who has an int for them */

/* "90s", "1m30s", "1.5h", "250ms", "0": in milliseconds. -1 for what is none, is negative or more
 * than max_ms. */
int64_t duration_parse(const char *text, int64_t max_ms);

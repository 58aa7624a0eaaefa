/* SPDX-License-Identifier: Apache-2.0 */
/* How old images are. */
#pragma once
#include "lib/error.h"

#include <stdint.h>
#include <time.h>

/* "90d", "36h", "15m", "30s", "2w": the point in time that is so long ago, in seconds since the
 * epoch. -1 for what is none. */
int age_parse(const char *text, int64_t *oldest);

/* A time as image configurations have it (RFC 3339) in seconds since the epoch; -1 for what is
 * none. */
int64_t age_of_time(const char *text);

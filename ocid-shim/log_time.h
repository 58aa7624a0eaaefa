/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as people name them for a log. */
#pragma once
#include <stdbool.h>

/* An RFC 3339 time; the same without its zone, its seconds or all but the date, which is local
 * then; seconds since 1970; or an age before now: "90s", "1h30m", "1.5h", "1d12h". In nanoseconds
 * since 1970. False where it is none. */
bool log_time_parse(const char *text, long long *nanoseconds);

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/timestamp.h"

#include <stdio.h>
#include <time.h>

void timestamp_now(char text[static TIMESTAMP_SIZE])
{
	struct timespec now;
	struct tm utc;
	char seconds[sizeof "2026-01-02T03:04:05"];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof seconds, "%FT%T", &utc);
	snprintf(text, TIMESTAMP_SIZE, "%s.%09ldZ", seconds, now.tv_nsec);
}

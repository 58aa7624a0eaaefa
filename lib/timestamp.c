/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
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

/* Whether the text begins with that form, where d is a digit. */
static bool begins(const char *text, const char *form)
{
	for (; *form; form++, text++)
		if (*form == 'd' ? !isdigit((unsigned char)*text) : *text != *form)
			return false;
	return true;
}

static int two_digits(const char *text)
{
	return 10 * (text[0] - '0') + text[1] - '0';
}

/* YYYY-MM-DD of digits: a day that there is. */
static bool is_day(const char *text)
{
	const struct tm day = { .tm_year = 100 * two_digits(text) + two_digits(text + 2) - 1900,
				.tm_mon = two_digits(text + 5) - 1,
				.tm_mday = two_digits(text + 8) };
	struct tm same = day;

	timegm(&same);
	return same.tm_mon == day.tm_mon && same.tm_mday == day.tm_mday;
}

static bool is_zone(const char *text)
{
	if (strcmp(text, "Z") == 0)
		return true;
	return (begins(text, "+dd:dd") || begins(text, "-dd:dd")) && !text[6] &&
	       two_digits(text + 1) < 24 && two_digits(text + 4) < 60;
}

bool timestamp_is_valid(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (!begins(text, form) || !is_day(text) || two_digits(text + 11) >= 24 ||
	    two_digits(text + 14) >= 60 || two_digits(text + 17) >= 60)
		return false;
	const char *rest = text + strlen(form);
	size_t fraction = rest[0] == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
	return fraction != 1 && is_zone(rest + fraction);
}

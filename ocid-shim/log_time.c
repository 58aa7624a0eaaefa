/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_time.h"

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/duration.h"
#include "lib/memory.h"
#include "ocid-shim/cri_log.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGITS_MAX = 9, DAYS_MAX = 1000000 };

static const long long ns_per_ms = 1000000, ns_per_s = 1000000000, ms_per_day = 86400000;

/* "1764288000", "1764288000.25" */
static bool parse_seconds(const char *text, long long *nanoseconds)
{
	size_t whole = strspn(text, "0123456789");
	size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	long long number = strtoll(text, NULL, 10), part = 0;

	if (whole == 0 || text[whole + (fraction ? fraction + 1 : 0)] ||
	    number >= LLONG_MAX / ns_per_s)
		return false;
	for (size_t i = 0; i < DIGITS_MAX; i++)
		part = part * 10 + (i < fraction ? text[whole + 1 + i] - '0' : 0);
	*nanoseconds = number * ns_per_s + part;
	return true;
}

/* A time without a zone, of which less may be said: the rest is put after it. */
static bool parse_local(const char *text, long long *nanoseconds)
{
	static const char *const rests[] = { "Z", ":00Z", "T00:00:00Z" };

	for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
		cleanup_free char *whole = xasprintf("%s%s", text, rests[i]);
		struct tm date;

		if (!cri_time_parse(whole, strlen(whole), nanoseconds))
			continue;
		time_t there = *nanoseconds / ns_per_s;
		gmtime_r(&there, &date);
		date.tm_isdst = -1;
		*nanoseconds += (mktime(&date) - there) * ns_per_s;
		return true;
	}
	return false;
}

/* As Go has it, after days. */
static bool parse_age(const char *text, long long *nanoseconds)
{
	long long now = clock_wall_ns(), days = 0, rest = 0;
	const long long rest_max = DAYS_MAX * ms_per_day;
	size_t digits = strspn(text, "0123456789");

	if (digits > 0 && text[digits] == 'd') {
		days = strtoll(text, NULL, 10);
		text += digits + 1;
	}
	if (*text || digits == 0)
		rest = duration_parse(text, rest_max);
	if (rest < 0)
		return false;
	long long age = (days < DAYS_MAX ? days : DAYS_MAX) * ms_per_day + rest;
	/* no log is older than that */
	*nanoseconds = age < now / ns_per_ms ? now - age * ns_per_ms : 0;
	return true;
}

bool log_time_parse(const char *text, long long *nanoseconds)
{
	return cri_time_parse(text, strlen(text), nanoseconds) || parse_local(text, nanoseconds) ||
	       parse_seconds(text, nanoseconds) || parse_age(text, nanoseconds);
}

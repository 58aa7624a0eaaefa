/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_time.h"

#include "lib/clock.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <time.h>

static const struct {
	const char *text;
	long long ns; /* -1: none */
} times[] = {
	{ "1970-01-02T00:00:00Z", 86400000000000 },
	{ "1970-01-02T00:00:00.5+01:00", 82800500000000 },
	/* an hour east of Greenwich, and two in summer */
	{ "1970-01-02T00:00:00.5", 82800500000000 },
	{ "1970-01-02T00:00", 82800000000000 },
	{ "1970-01-02", 82800000000000 },
	{ "2026-07-01", 1782856800000000000 },
	{ "0", 0 },
	{ "1764288000", 1764288000000000000 },
	{ "1764288000.25", 1764288000250000000 },
	{ "1.0000000019", 1000000001 },
	{ "100000000000d", 0 },
	{ "", -1 },
	{ "yesterday", -1 },
	{ "10x", -1 },
	{ "10.", -1 },
	{ ".5", -1 },
	{ "-5s", -1 },
	{ "-5", -1 },
	{ "d", -1 },
	{ "1h30", -1 },
	{ "1dx", -1 },
	{ "99999999999", -1 },
	{ "2020-13-01", -1 },
	{ "2020-01-01T", -1 },
	{ "2020-01-01T10", -1 },
	{ "2020-01-01+01:00", -1 },
};

static const struct {
	const char *text;
	long long seconds;
} ages[] = {
	{ "90s", 90 },	  { "1h30m", 5400 },   { "1.5h", 5400 },
	{ "2d", 172800 }, { "1d12h", 129600 }, { "1d0.5h", 88200 },
	{ "1000ms", 1 },  { "0s", 0 },	       { "10000h", 36000000 },
};

int main(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		long long ns = -1;
		bool valid = log_time_parse(times[i].text, &ns);

		ok(valid == (times[i].ns >= 0) && (!valid || ns == times[i].ns), "time \"%s\"",
		   times[i].text);
	}
	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
		long long ns = 0, now = clock_wall_ns();
		bool valid = log_time_parse(ages[i].text, &ns);
		long long off = ns + ages[i].seconds * 1000000000 - now;

		ok(valid && off > -1000000 && off < 1000000000, "age \"%s\"", ages[i].text);
	}
	return tap_done();
}

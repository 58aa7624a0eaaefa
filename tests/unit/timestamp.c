/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/timestamp.h"

#include "tests/unit/tap.h"

static const char *const valid[] = {
	"2026-01-02T03:04:05Z",	     "2026-01-02T03:04:05.123456789Z", "0000-01-01T00:00:00Z",
	"2026-01-02T03:04:05+02:00", "2026-12-31T23:59:59.1-23:59",    "9999-12-31T23:59:59Z",
	"2024-02-29T00:00:00+00:00",
};

static const char *const invalid[] = {
	"",
	"yesterday",
	"2026-01-02",
	"2026-01-02T03:04:05",
	"2026-01-02 03:04:05Z",
	"2026-1-02T03:04:05Z",
	"2026-01-02T03:04:05.Z",
	"2026-01-02T03:04:05,1Z",
	"2026-01-02T03:04:05z",
	"2026-01-02T03:04:05Z ",
	"2026-01-02T03:04:05+0200",
	"2026-01-02T03:04:05+24:00",
	"2026-01-02T03:04:05+02:60",
	"2026-01-02T24:00:00Z",
	"2026-01-02T03:60:05Z",
	"2026-01-02T03:04:60Z",
	"2026-00-02T03:04:05Z",
	"2026-13-02T03:04:05Z",
	"2026-01-00T03:04:05Z",
	"2026-02-29T03:04:05Z",
	"2026-04-31T03:04:05Z",
};

int main(void)
{
	char now[TIMESTAMP_SIZE];

	for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
		ok(timestamp_is_valid(valid[i]), "\"%s\" is a time", valid[i]);
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		ok(!timestamp_is_valid(invalid[i]), "\"%s\" is none", invalid[i]);
	timestamp_now(now);
	ok(timestamp_is_valid(now), "now, %s, is a time", now);
	return tap_done();
}

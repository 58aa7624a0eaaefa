/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/cri_log.h"

#include "tests/unit/tap.h"

#include <string.h>

#define T "2026-11-24T12:45:30.987663916Z"

static const struct {
	const char *line;
	bool valid, is_stderr, is_full;
	const char *content;
} lines[] = {
	{ T " stdout F hello", true, false, true, "hello" },
	{ T " stderr P hello world", true, true, false, "hello world" },
	{ T " stdout F ", true, false, true, "" },
	{ T " stdout F  two spaces", true, false, true, " two spaces" },
	{ T " stdout F:more:tags x", true, false, true, "x" },
	{ "2026-11-24T12:45:30.1+01:00 stderr F x", true, true, true, "x" },
	{ "anything stdout P x", true, false, false, "x" },
	{ T " stdout F", false, false, false, NULL },
	{ T " stdout FX x", false, false, false, NULL },
	{ T " stdout X x", false, false, false, NULL },
	{ T " stdout  x", false, false, false, NULL },
	{ T " stdin F x", false, false, false, NULL },
	{ T " stdoutt F x", false, false, false, NULL },
	{ T " F x", false, false, false, NULL },
	{ " stdout F x", false, false, false, NULL },
	{ T, false, false, false, NULL },
	{ "", false, false, false, NULL },
};

static const struct {
	const char *text;
	bool valid;
	long long nanoseconds;
} times[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "1970-01-01T00:00:01.5Z", true, 1500000000 },
	{ "1970-01-01T01:00:00.000000001+01:00", true, 1 },
	{ "1969-12-31T23:30:00-00:30", false, 0 },
	{ "1970-01-01T00:00:00-00:30", true, 1800LL * 1000000000 },
	{ "2000-02-29T12:34:56.123456789z", true, 951827696123456789 },
	{ "2000-02-29t12:34:56.1234567899Z", true, 951827696123456789 },
	{ "2026-11-24T12:45:30", false, 0 },
	{ "2026-11-24T12:45:30.Z", false, 0 },
	{ "2026-11-24 12:45:30Z", false, 0 },
	{ "2026-13-24T12:45:30Z", false, 0 },
	{ "2026-11-24T24:45:30Z", false, 0 },
	{ "2026-11-24T12:45:30+1:00", false, 0 },
	{ "2026-11-24T12:45:30+24:00", false, 0 },
	{ "2026-11-24T12:45:30Zx", false, 0 },
	{ "9999-11-24T12:45:30Z", false, 0 },
	{ "", false, 0 },
};

int main(void)
{
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct cri_record record;
		bool valid = cri_record_parse(lines[i].line, strlen(lines[i].line), &record);

		ok(valid == lines[i].valid, "\"%s\" is%s a record", lines[i].line,
		   lines[i].valid ? "" : " not");
		if (!valid || !lines[i].valid)
			continue;
		ok(record.is_stderr == lines[i].is_stderr && record.is_full == lines[i].is_full,
		   "stream and tag of it");
		ok(record.length == strlen(lines[i].content) &&
			   memcmp(record.content, lines[i].content, record.length) == 0,
		   "content of it");
	}
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		long long nanoseconds = -1;
		bool valid = cri_time_parse(times[i].text, strlen(times[i].text), &nanoseconds);

		ok(valid == times[i].valid && (!valid || nanoseconds == times[i].nanoseconds),
		   "time \"%s\": %lld", times[i].text, nanoseconds);
	}
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/duration.h"
#include "tests/unit/tap.h"

#include <stddef.h>

int main(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "0", 0 },	     { "0s", 0 },
		{ "90s", 90000 },    { "1m30s", 90000 },
		{ "1.5h", 5400000 }, { "250ms", 250 },
		{ ".5s", 500 },	     { "2h45m0.25s", 9900250 },
		{ "1000us", 1 },     { "1000000ns", 1 },
		{ "", -1 },	     { "5", -1 },
		{ "s", -1 },	     { "-5s", -1 },
		{ "5 s", -1 },	     { "1d", -1 },
		{ "1e3s", -1 },	     { "5sec", -1 },
		{ "99999h", -1 },    { ".s", -1 },
		{ "1s1", -1 },	     { "1.2.3s", -1 },
		{ "nan", -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(duration_parse(rows[i].text, DURATION_MAX_MS) == rows[i].ms, "duration: \"%s\"",
		   rows[i].text);
	return tap_done();
}

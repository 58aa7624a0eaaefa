/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/runtime.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static void check(const char *log, const char *said, const char *expected)
{
	cleanup_free char *text = runtime_error_text(log, said);

	is(text, expected, "\"%s\"", expected);
}

int main(void)
{
	check("{\"level\":\"error\",\"msg\":\"no such thing\",\"time\":\"x\"}\n", "other",
	      "no such thing");
	check("{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":\"last\"}\n",
	      "", "last");
	check("{\"level\":\"error\",\"msg\":\"it\"}\n{\"level\":\"warning\",\"msg\":\"no\"}\n", "",
	      "it");
	check("{\"level\":\"error\",\"msg\":\"two\\nlines\"}\n", "", "lines");
	check("{\"msg\":\"no level\"}", "", "no level");
	check("{\"level\":\"info\",\"msg\":\"hello\"}\n", "said\nlast words\n", "last words");
	check("", "on stderr", "on stderr");
	check("plain text\n", "on stderr", "plain text");
	check("{\"level\":\"error\",\"msg\":\"it\"}\n{\"level\":\"err", "", "it");
	check("\n\n", "\n", "");
	check("[1]\n", "", "[1]");
	return tap_done();
}

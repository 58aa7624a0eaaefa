/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/output.h"

#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>

/* What it prints; the caller frees it. */
static char *printed(const json_t *rows)
{
	FILE *ours = stdout;
	char *text = NULL;
	size_t length = 0;
	struct error err;

	stdout = open_memstream(&text, &length);
	if (output_json_lines(rows, &err) < 0)
		fputs("failed", stdout);
	fclose(stdout);
	stdout = ours;
	return text;
}

int main(void)
{
	static const struct {
		const char *rows, *text;
	} cases[] = {
		{ "[]", "" },
		{ "[{\"b\":1,\"a\":[]},{}]", "{\"a\":[],\"b\":1}\n{}\n" },
		{ "[[0.43,12.34,0.0,1]]", "[0.43,12.34,0.0,1]\n" },
		{ "[{\"a\":\"\\u0085\"}]", "{\"a\":\"\\u0085\"}\n" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *rows = json_loads(cases[i].rows, 0, NULL);
		char *text = printed(rows);

		is(text, cases[i].text, "%s", cases[i].rows);
		free(text);
		json_decref(rows);
	}
	return tap_done();
}

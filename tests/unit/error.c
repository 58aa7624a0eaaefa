/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/error.h"

#include "tests/unit/tap.h"

#include <jansson.h>
#include <stdbool.h>

enum { CHARACTERS = 400 };

static bool is_utf8(const char *text)
{
	json_auto_t *json = json_string(text);

	return json != NULL;
}

/* What does not fit is cut between characters: others take the text for UTF-8. */
static void test_cut(const char *character)
{
	struct error err;
	char text[CHARACTERS * 4 + 1];
	size_t length = strlen(character);

	for (size_t i = 0; i < CHARACTERS; i++)
		memcpy(text + i * length, character, length);
	text[CHARACTERS * length] = '\0';
	for (int before = 0; before < 4; before++) {
		error_set(&err, ERROR_FAILED, "%.*s%s", before, "xxx", text);
		error_subject(&err, text);
		error_hint(&err, "%.*s%s", before, "xxx", text);
		ok(is_utf8(err.message) && is_utf8(err.subject) && is_utf8(err.hint),
		   "characters of %zu bytes after %d others", length, before);
		is(err.hint + strlen(err.hint) - 3, "...", "it is seen that something is missing");
	}
}

int main(void)
{
	test_cut("x");
	test_cut("\303\244");
	test_cut("\342\202\254");
	test_cut("\360\237\220\247");
	return tap_done();
}

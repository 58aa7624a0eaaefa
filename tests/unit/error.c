/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/error.h"

#include "tests/unit/tap.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What is printed of a message, without what stands before it. */
static const char *printed(const char *message)
{
	static char text[256];
	struct error err;
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);

	error_set(&err, ERROR_FAILED, "%s", message);
	dup2(fileno(file), STDERR_FILENO);
	error_print(&err, "tool", NULL, false);
	dup2(saved, STDERR_FILENO);
	close(saved);
	text[pread(fileno(file), text, sizeof text - 1, 0)] = '\0';
	fclose(file);
	return strchr(text, ' ') + 1;
}

static void test_controls(void)
{
	is(printed("a\033[2J\177"), "a\\x1b[2J\\x7f\n", "those of ASCII are escaped");
	is(printed("a\302\2332J\302\237"), "a\\xc2\\x9b2J\\xc2\\x9f\n", "as are U+0080 to U+009F");
	is(printed("\302\240\303\233\302"), "\302\240\303\233\302\n", "no others are");
}

/* What a system call's failure means, for the exit status. */
static void test_kinds(void)
{
	static const struct {
		int os;
		enum error_kind kind;
	} cases[] = {
		{ ENOENT, ERROR_NOT_FOUND },
		{ ESRCH, ERROR_NOT_FOUND },
		{ EEXIST, ERROR_EXISTS },
		{ EBUSY, ERROR_IN_USE },
		{ ETXTBSY, ERROR_IN_USE },
		{ EACCES, ERROR_DENIED },
		{ EPERM, ERROR_DENIED },
		{ EROFS, ERROR_DENIED },
		{ EXDEV, ERROR_INTEGRITY },
		{ ELOOP, ERROR_INTEGRITY },
		{ ENAMETOOLONG, ERROR_INTEGRITY },
		{ EAGAIN, ERROR_TEMPORARY },
		{ EINTR, ERROR_TEMPORARY },
		{ ECONNREFUSED, ERROR_TEMPORARY },
		{ ECONNRESET, ERROR_TEMPORARY },
		{ EPIPE, ERROR_TEMPORARY },
		{ ETIMEDOUT, ERROR_TEMPORARY },
		{ EHOSTUNREACH, ERROR_TEMPORARY },
		{ ENETUNREACH, ERROR_TEMPORARY },
		{ ENOSPC, ERROR_LIMIT },
		{ EDQUOT, ERROR_LIMIT },
		{ EFBIG, ERROR_LIMIT },
		{ EMFILE, ERROR_LIMIT },
		{ ENFILE, ERROR_LIMIT },
		{ ENOSYS, ERROR_UNSUPPORTED },
		{ EOPNOTSUPP, ERROR_UNSUPPORTED },
		{ EIO, ERROR_FAILED },
		{ EINVAL, ERROR_FAILED },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err;

		errno = cases[i].os;
		ok(error_os(&err, "it") < 0 && err.kind == cases[i].kind && err.os == cases[i].os,
		   "kind: of %s", strerror(cases[i].os));
	}
}

int main(void)
{
	test_kinds();
	test_controls();
	test_cut("x");
	test_cut("\303\244");
	test_cut("\342\202\254");
	test_cut("\360\237\220\247");
	return tap_done();
}

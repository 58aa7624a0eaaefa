/* SPDX-License-Identifier: Apache-2.0 */
/* The whole unit test framework: ok(CONDITION, NAME…) prints a TAP line; main ends in tap_done().
 */
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 4, 5))) static inline int tap_ok(int passed, const char *file,
							       int line, const char *format, ...)
{
	va_list args;

	tap_count++;
	tap_failures += !passed;
	printf("%sok %d - ", passed ? "" : "not ", tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!passed)
		printf("# at %s:%d\n", file, line);
	return passed;
}

#define ok(condition, ...) tap_ok(!!(condition), __FILE__, __LINE__, __VA_ARGS__)

/* Equal strings; NULL equals NULL. Prints both when they differ. */
#define is(actual, expected, ...)                                                                  \
	do {                                                                                       \
		const char *is_a = (actual), *is_e = (expected);                                   \
		if (!ok(is_a && is_e ? strcmp(is_a, is_e) == 0 : is_a == is_e, __VA_ARGS__))       \
			printf("# got \"%s\", expected \"%s\"\n", is_a ? is_a : "(null)",          \
			       is_e ? is_e : "(null)");                                            \
	} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures != 0;
}

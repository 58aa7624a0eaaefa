/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/signals.h"

#include "lib/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The kernel's, as runtimes count them; the C library keeps the first for itself. */
enum { KERNEL_RTMIN = 32, KERNEL_RTMAX = 64, C_RTMIN = 34, C_RTMIN_LAST = 49 };

/* A whole decimal number from 0 to max; -1 otherwise. */
static int number_up_to(const char *digits, int max)
{
	char *end;

	if (digits[0] < '0' || digits[0] > '9')
		return -1;
	errno = 0;
	long number = strtol(digits, &end, 10);
	return errno || *end || number > max ? -1 : (int)number;
}

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n". */
static int real_time(const char *name)
{
	const int span = KERNEL_RTMAX - C_RTMIN;
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return 0;

	int offset = 0;
	if (name[5])
		offset = name[5] == (from_min ? '+' : '-') ? number_up_to(name + 6, span) : -1;
	if (offset < 0)
		return 0;
	return from_min ? C_RTMIN + offset : KERNEL_RTMAX - offset;
}

/* Those that the C library calls otherwise. */
static int other_name(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} others[] = { { "CLD", SIGCHLD }, { "IO", SIGIO }, { "IOT", SIGABRT } };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcasecmp(others[i].name, name) == 0)
			return others[i].number;
	return 0;
}

int signal_number(const char *name)
{
	int number = number_up_to(name, KERNEL_RTMAX);

	if (number >= 0)
		return number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (number = 1; number < KERNEL_RTMIN; number++) {
		const char *known = sigabbrev_np(number);

		if (known && strcasecmp(known, name) == 0)
			return number;
	}
	number = other_name(name);
	return number ? number : real_time(name);
}

char *signal_name(int number)
{
	if (number > 0 && number < KERNEL_RTMIN)
		return xstrdup(sigabbrev_np(number));
	if (number < C_RTMIN || number > KERNEL_RTMAX)
		return NULL;
	if (number == C_RTMIN || number == KERNEL_RTMAX)
		return xstrdup(number == C_RTMIN ? "RTMIN" : "RTMAX");
	return number <= C_RTMIN_LAST ? xasprintf("RTMIN+%d", number - C_RTMIN)
				      : xasprintf("RTMAX-%d", KERNEL_RTMAX - number);
}

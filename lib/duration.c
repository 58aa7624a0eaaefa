/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/duration.h"

#include <stddef.h>
#include <string.h>

static const struct unit {
	const char *name;
	double ms;
} units[] = {
	{ "ms", 1 },	{ "s", 1000 },	{ "m", 60 * 1000 }, { "h", 3600 * 1000 },
	{ "us", 1e-3 }, { "µs", 1e-3 }, { "ns", 1e-6 },
};

/* The longest one that the text begins with ("ms", not "m"). */
static const struct unit *find_unit(const char *text)
{
	size_t length = strcspn(text, "0123456789.");

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
			return &units[i];
	return NULL;
}

/* Moves *text past the digits and the fraction; -1 where there is no digit. */
static double read_number(const char **text)
{
	double number = 0, place = 1;
	const char *at = *text;
	int digits = 0;

	for (; *at >= '0' && *at <= '9'; at++, digits++)
		number = number * 10 + (*at - '0');
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, digits++)
			number += (*at - '0') * (place /= 10);
	*text = at;
	return digits > 0 ? number : -1;
}

int64_t duration_parse(const char *text, int64_t max_ms)
{
	double total = 0;

	if (strcmp(text, "0") == 0)
		return 0;
	if (!*text)
		return -1;
	while (*text) {
		double number = read_number(&text);
		const struct unit *unit = find_unit(text);

		if (number < 0 || !unit)
			return -1;
		total += number * unit->ms;
		text += strlen(unit->name);
		if (total > (double)max_ms)
			return -1;
	}
	return (int64_t)total;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/age.h"

#include <stdlib.h>
#include <string.h>

int age_parse(const char *text, int64_t *oldest)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	char *end;
	long long count = strtoll(text, &end, 10);

	if (end == text || count < 0 || count > 1000000 || !end[0] || end[1])
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].unit == *end) {
			*oldest = (int64_t)time(NULL) - count * units[i].seconds;
			return 0;
		}
	return -1;
}

int64_t age_of_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0, sign = 0;

	if (!rest)
		return -1;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') && strlen(rest) == 6) {
		sign = *rest == '+' ? -1 : 1;
		hours = (int)strtol(rest + 1, NULL, 10);
		minutes = (int)strtol(rest + 4, NULL, 10);
	} else if (strcmp(rest, "Z") != 0) {
		return -1;
	}
	return (int64_t)timegm(&tm) + (int64_t)sign * (hours * 60 + minutes) * 60;
}

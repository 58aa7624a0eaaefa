/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/go_time.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/timestamp.h"

#include <stdbool.h>
#include <string.h>

/* The parts of the text; those of the zone are "" for UTC. */
struct parts {
	const char *date, *time, *fraction, *hours, *minutes;
	int fraction_length; /* with its point, or 0 */
};

static bool take_apart(const char *text, struct parts *parts)
{
	if (!timestamp_is_valid(text))
		return false;
	const char *time = strchr(text, 'T') + 1;
	const char *fraction = time + strlen("hh:mm:ss");
	size_t length = fraction[0] == '.' ? 1 + strspn(fraction + 1, "0123456789") : 0;
	const char *zone = fraction + length;
	bool is_offset = zone[0] != 'Z' && strcmp(zone + 1, "00:00") != 0;

	while (length > 0 && strchr("0.", fraction[length - 1]))
		length--;
	*parts = (struct parts){
		.date = text,
		.time = time,
		.fraction = fraction,
		.fraction_length = (int)length,
		.hours = is_offset ? zone : "",
		.minutes = is_offset ? zone + 4 : "",
	};
	return true;
}

char *go_time_json(const char *text)
{
	struct parts parts;

	if (!take_apart(text, &parts))
		return NULL;
	return xasprintf("%.10sT%.8s%.*s%s", parts.date, parts.time, parts.fraction_length,
			 parts.fraction, parts.hours[0] ? parts.hours : "Z");
}

char *go_time_print(const char *text)
{
	struct parts parts;

	if (!take_apart(text, &parts))
		return NULL;
	cleanup_free char *offset = xasprintf("%.3s%.2s", parts.hours, parts.minutes);
	return xasprintf("%.10s %.8s%.*s %s %s", parts.date, parts.time, parts.fraction_length,
			 parts.fraction, offset[0] ? offset : "+0000", offset[0] ? offset : "UTC");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/go-time.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* The parts of the text; those of the zone are "" for UTC. */
struct parts {
	const char *date, *time, *fraction, *hours, *minutes;
	int fraction_length; /* with its point, or 0 */
};

/* Whether the text begins with that form, where d is a digit. */
static bool begins(const char *text, const char *form)
{
	for (; *form; form++, text++)
		if (*form == 'd' ? !isdigit((unsigned char)*text) : *text != *form)
			return false;
	return true;
}

static bool take_apart(const char *text, struct parts *parts)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (!begins(text, form))
		return false;
	const char *fraction = text + strlen(form);
	size_t length = fraction[0] == '.' ? 1 + strspn(fraction + 1, "0123456789") : 0;
	const char *zone = fraction + length;
	bool is_offset = (begins(zone, "+dd:dd") || begins(zone, "-dd:dd")) && !zone[6];

	if (length == 1 || !(is_offset || strcmp(zone, "Z") == 0))
		return false;
	while (length > 0 && strchr("0.", fraction[length - 1]))
		length--;
	is_offset = is_offset && strcmp(zone + 1, "00:00") != 0;
	*parts = (struct parts){
		.date = text,
		.time = strchr(text, 'T') + 1,
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/cri_log.h"

#include <string.h>
#include <time.h>

enum { NANOSECOND_DIGITS = 9 };

/* What is left of a text that is parsed from its front. */
struct rest {
	const char *at;
	size_t left;
};

/* Take the word up to the next space, and the space. NULL where there is no space. */
static const char *take_word(struct rest *rest, size_t *length)
{
	const char *word = rest->at;
	const char *space = memchr(word, ' ', rest->left);

	if (!space)
		return NULL;
	*length = (size_t)(space - word);
	rest->at = space + 1;
	rest->left -= *length + 1;
	return word;
}

static bool is_word(const char *word, size_t length, const char *expected)
{
	return strlen(expected) == length && memcmp(word, expected, length) == 0;
}

bool cri_record_parse(const char *line, size_t length, struct cri_record *record)
{
	struct rest rest = { line, length };
	size_t time_length, stream_length, tag_length;
	const char *time = take_word(&rest, &time_length);
	const char *stream = time ? take_word(&rest, &stream_length) : NULL;
	const char *tag = stream ? take_word(&rest, &tag_length) : NULL;

	if (!tag || tag_length == 0 || (tag[0] != 'F' && tag[0] != 'P') ||
	    (tag_length > 1 && tag[1] != ':'))
		return false;

	bool is_stderr = is_word(stream, stream_length, "stderr");
	if (time_length == 0 || (!is_stderr && !is_word(stream, stream_length, "stdout")))
		return false;
	*record = (struct cri_record){ .time = time,
				       .time_length = time_length,
				       .is_stderr = is_stderr,
				       .is_full = tag[0] == 'F',
				       .content = rest.at,
				       .length = rest.left };
	return true;
}

/* Take exactly `count` digits and the byte `after` (0: none). */
static bool take_digits(struct rest *rest, size_t count, char after, int *number)
{
	*number = 0;
	if (rest->left < count + (after != 0))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest->at[i] < '0' || rest->at[i] > '9')
			return false;
		*number = *number * 10 + (rest->at[i] - '0');
	}
	if (after && (rest->at[count] & ~0x20) != after && rest->at[count] != after)
		return false;
	rest->at += count + (after != 0);
	rest->left -= count + (after != 0);
	return true;
}

/* ".123": nanoseconds; none is 0. */
static bool take_fraction(struct rest *rest, long *nanoseconds)
{
	int digits = 0;

	*nanoseconds = 0;
	if (rest->left == 0 || rest->at[0] != '.')
		return true;
	rest->at++;
	rest->left--;
	while (rest->left > 0 && rest->at[0] >= '0' && rest->at[0] <= '9') {
		if (digits < NANOSECOND_DIGITS)
			*nanoseconds = *nanoseconds * 10 + (rest->at[0] - '0');
		digits++;
		rest->at++;
		rest->left--;
	}
	for (int i = digits; i < NANOSECOND_DIGITS; i++)
		*nanoseconds *= 10;
	return digits > 0;
}

/* "Z" or "+01:30", to the end: seconds east of Greenwich. */
static bool take_zone(struct rest *rest, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (rest->left == 1 && (rest->at[0] == 'Z' || rest->at[0] == 'z'))
		return true;
	if (rest->left != 6 || (rest->at[0] != '+' && rest->at[0] != '-'))
		return false;

	int sign = rest->at[0] == '-' ? -1 : 1;
	rest->at++;
	rest->left--;
	if (!take_digits(rest, 2, ':', &hours) || !take_digits(rest, 2, 0, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool cri_time_parse(const char *text, size_t length, long long *nanoseconds)
{
	struct rest rest = { text, length };
	struct tm date = { 0 };
	int zone;
	long fraction;

	if (!take_digits(&rest, 4, '-', &date.tm_year) ||
	    !take_digits(&rest, 2, '-', &date.tm_mon) ||
	    !take_digits(&rest, 2, 'T', &date.tm_mday) ||
	    !take_digits(&rest, 2, ':', &date.tm_hour) ||
	    !take_digits(&rest, 2, ':', &date.tm_min) || !take_digits(&rest, 2, 0, &date.tm_sec) ||
	    !take_fraction(&rest, &fraction) || !take_zone(&rest, &zone))
		return false;
	/* until 2262 nanoseconds fit */
	if (date.tm_year < 1970 || date.tm_year > 2261 || date.tm_mon < 1 || date.tm_mon > 12 ||
	    date.tm_mday < 1 || date.tm_mday > 31 || date.tm_hour > 23 || date.tm_min > 59 ||
	    date.tm_sec > 60)
		return false;
	date.tm_year -= 1900;
	date.tm_mon -= 1;
	*nanoseconds = ((long long)timegm(&date) - zone) * 1000000000LL + fraction;
	return true;
}

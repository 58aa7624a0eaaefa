/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/monitor/text.h"

void text_add(struct text *text, const char *more)
{
	while (*more && text->length + 1 < text->size)
		text->buffer[text->length++] = *more++;
	text->buffer[text->length] = '\0';
}

void text_add_bytes(struct text *text, const char *more, size_t length)
{
	for (size_t i = 0; i < length && text->length + 1 < text->size; i++)
		text->buffer[text->length++] = more[i];
	text->buffer[text->length] = '\0';
}

void text_add_number(struct text *text, long long number)
{
	char digits[24];
	size_t at = sizeof digits - 1;
	unsigned long long rest =
		number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--at] = '-';
	text_add(text, digits + at);
}

/* Write `number` with exactly `width` digits, and what follows it. */
static char *put_digits(char *at, long number, int width, char after)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + number % 10);
		number /= 10;
	}
	at[width] = after;
	return at + width + 1;
}

/* Days since 1970-01-01 to a date. Not gmtime_r(): glibc's reads the time zone file and allocates.
 * Years start in March here, so that the leap day is the last day of one. */
static void date_of(long days, long *year, long *month, long *day)
{
	long since = days + 719468; /* days since 0000-03-01 */
	long era = since / 146097;  /* of 400 years */
	long of_era = since % 146097;
	long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	long of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	long march_month = (5 * of_year + 2) / 153;

	*day = of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = era * 400 + year_of_era + (*month <= 2);
}

void stamp_format(char stamp[static STAMP_SIZE], const struct timespec *time)
{
	long seconds = (long)(time->tv_sec % 86400), year, month, day;
	char *at = stamp;

	date_of((long)(time->tv_sec / 86400), &year, &month, &day);
	at = put_digits(at, year, 4, '-');
	at = put_digits(at, month, 2, '-');
	at = put_digits(at, day, 2, 'T');
	at = put_digits(at, seconds / 3600, 2, ':');
	at = put_digits(at, seconds / 60 % 60, 2, ':');
	at = put_digits(at, seconds % 60, 2, '.');
	at = put_digits(at, time->tv_nsec, 9, 'Z');
	*at = '\0';
}

void stamp_now(char stamp[static STAMP_SIZE])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	stamp_format(stamp, &now);
}

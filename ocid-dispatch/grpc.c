/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/grpc.h"

#include "lib/memory.h"

#include <string.h>

enum {
	FLAG_COMPRESSED = 1,
	TIMEOUT_DIGITS_MAX = 8,
	STATUS_TEXT_MAX = 2048, /* bytes before encoding; the header list of a peer is bounded */
};

enum grpc_status grpc_status_of(enum error_kind kind)
{
	static const enum grpc_status statuses[] = {
		[ERROR_FAILED] = GRPC_UNKNOWN,
		[ERROR_USAGE] = GRPC_INVALID_ARGUMENT,
		[ERROR_NOT_FOUND] = GRPC_NOT_FOUND,
		[ERROR_EXISTS] = GRPC_ALREADY_EXISTS,
		[ERROR_IN_USE] = GRPC_FAILED_PRECONDITION,
		[ERROR_DENIED] = GRPC_PERMISSION_DENIED,
		[ERROR_INTEGRITY] = GRPC_DATA_LOSS,
		[ERROR_TEMPORARY] = GRPC_UNAVAILABLE,
		[ERROR_LIMIT] = GRPC_RESOURCE_EXHAUSTED,
		[ERROR_UNSUPPORTED] = GRPC_UNIMPLEMENTED,
	};
	size_t index = (size_t)kind;

	if (index == ERROR_TIMEOUT)
		return GRPC_DEADLINE_EXCEEDED;
	if (index < 1 || index >= sizeof statuses / sizeof *statuses)
		return GRPC_UNKNOWN;
	return statuses[index];
}

void grpc_prefix(unsigned char prefix[static GRPC_PREFIX_SIZE], unsigned char flags, size_t length)
{
	prefix[0] = flags;
	for (int i = 0; i < 4; i++)
		prefix[1 + i] = (unsigned char)(length >> (24 - 8 * i));
}

int grpc_only_message(const unsigned char *body, size_t length, const unsigned char **message,
		      size_t *message_length, struct error *err)
{
	if (length < GRPC_PREFIX_SIZE)
		return error_set(err, ERROR_INTEGRITY, "the request has no message");
	if (body[0] & FLAG_COMPRESSED)
		return error_set(err, ERROR_UNSUPPORTED, "compressed messages are not supported");
	if (body[0] != 0)
		return error_set(err, ERROR_INTEGRITY, "the request's message has unknown flags");

	size_t announced = (size_t)body[1] << 24 | (size_t)body[2] << 16 | (size_t)body[3] << 8 |
			   (size_t)body[4];
	if (announced > length - GRPC_PREFIX_SIZE)
		return error_set(err, ERROR_INTEGRITY, "the request's message is cut off");
	if (announced < length - GRPC_PREFIX_SIZE)
		return error_set(err, ERROR_INTEGRITY, "the request has more than one message");
	*message = body + GRPC_PREFIX_SIZE;
	*message_length = announced;
	return 0;
}

int64_t grpc_timeout_ms(const char *text)
{
	static const struct {
		char unit;
		int64_t nanoseconds;
	} units[] = {
		{ 'H', 3600000000000 }, { 'M', 60000000000 }, { 'S', 1000000000 },
		{ 'm', 1000000 },	{ 'u', 1000 },	      { 'n', 1 },
	};
	size_t digits = strspn(text, "0123456789");
	int64_t amount = 0;

	if (digits < 1 || digits > TIMEOUT_DIGITS_MAX || !text[digits] || text[digits + 1])
		return -1;
	for (size_t i = 0; i < digits; i++)
		amount = amount * 10 + (text[i] - '0');
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].unit == text[digits])
			return units[i].nanoseconds >= 1000000
				       ? amount * (units[i].nanoseconds / 1000000)
				       : (amount * units[i].nanoseconds + 999999) / 1000000;
	return -1;
}

char *grpc_encode_message(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t length = strnlen(text, STATUS_TEXT_MAX);
	char *encoded = xcalloc(length + 1, 3), *out = encoded;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c <= '~' && c != '%') {
			*out++ = (char)c;
			continue;
		}
		*out++ = '%';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	return encoded;
}

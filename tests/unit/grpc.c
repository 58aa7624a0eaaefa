/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between HTTP/2 and a handler: frames, timeouts, status messages, the answer on the
 * pipe, base64. */
#include "ocid-dispatch/grpc.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-dispatch/answer.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static void test_timeout(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1H", 3600000 },
		{ "2M", 120000 },
		{ "5S", 5000 },
		{ "7m", 7 },
		{ "1u", 1 },
		{ "1000u", 1 },
		{ "1001u", 2 },
		{ "1n", 1 },
		{ "0S", 0 },
		{ "", -1 },
		{ "S", -1 },
		{ "5", -1 },
		{ "5s", -1 },
		{ "-5S", -1 },
		{ "5SS", -1 },
		{ " 5S", -1 },
		{ "5 S", -1 },
		{ "1.5S", -1 },
		{ "99999999H", 99999999 * INT64_C(3600000) },
		{ "123456789S", -1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(grpc_timeout_ms(cases[i].text) == cases[i].ms, "timeout \"%s\"", cases[i].text);
}

static void test_message(void)
{
	static const struct {
		const char *text, *encoded;
	} cases[] = {
		{ "", "" },
		{ "plain text, ~!", "plain text, ~!" },
		{ "100%", "100%25" },
		{ "two\nlines", "two%0Alines" },
		{ "\xc3\xa4", "%C3%A4" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_free char *encoded = grpc_encode_message(cases[i].text);

		is(encoded, cases[i].encoded, "message %zu", i);
	}
}

static void unframes(const char *body, size_t length, const char *expected)
{
	const unsigned char *message;
	size_t message_length;
	struct error err = { 0 };
	int done = grpc_only_message((const unsigned char *)body, length, &message, &message_length,
				     &err);
	cleanup_free char *text =
		done < 0 ? xstrdup(err.message) : xstrndup((const char *)message, message_length);

	is(text, expected, "frame: %s", expected);
}

static void test_frames(void)
{
	unframes("\0\0\0\0\3abc", 8, "abc");
	unframes("\0\0\0\0\0", 5, "");
	unframes("", 0, "the request has no message");
	unframes("\0\0\0", 3, "the request has no message");
	unframes("\0\0\0\0\4abc", 8, "the request's message is cut off");
	unframes("\0\377\377\377\377abc", 8, "the request's message is cut off");
	unframes("\0\0\0\0\2abc", 8, "the request has more than one message");
	unframes("\1\0\0\0\3abc", 8, "compressed messages are not supported");
	unframes("\2\0\0\0\3abc", 8, "the request's message has unknown flags");
}

static void test_statuses(void)
{
	ok(grpc_status_of(ERROR_NOT_FOUND) == GRPC_NOT_FOUND, "status of not-found");
	ok(grpc_status_of(ERROR_UNSUPPORTED) == GRPC_UNIMPLEMENTED, "status of unsupported");
	ok(grpc_status_of((enum error_kind)0) == GRPC_UNKNOWN, "status of what is no kind");
	ok(grpc_status_of((enum error_kind)99) == GRPC_UNKNOWN, "nor this");
}

/* Read an answer in pieces of `step` bytes. */
static void take_in_steps(const char *bytes, size_t length, size_t step)
{
	struct answer answer = { 0 };
	cleanup_buffer struct buffer messages = { 0 };
	struct error err = { 0 };
	int done = 0;

	for (size_t at = 0; at < length && done == 0; at += step)
		done = answer_take(&answer, bytes + at, length - at < step ? length - at : step,
				   &messages, &err);
	cleanup_free char *text = NULL;
	ok(done == 0 && answer.whole && answer_result(&answer, &text) == GRPC_NOT_FOUND,
	   "an answer in pieces of %zu bytes has its status", step);
	is(text, "no such", "and its text");
	ok(buffer_length(&messages) == 15 &&
		   memcmp(buffer_data(&messages), "\0\0\0\0\5hello\0\0\0\0\0", 15) == 0,
	   "and its messages");
	answer_free(&answer);
}

static void refuses(const char *bytes, size_t length, const char *what)
{
	struct answer answer = { 0 };
	cleanup_buffer struct buffer messages = { 0 };
	struct error err = { 0 };

	ok(answer_take(&answer, bytes, length, &messages, &err) < 0, "an answer with %s", what);
	answer_free(&answer);
}

static void test_answer(void)
{
	cleanup_buffer struct buffer hello = { 0 }, empty = { 0 };
	struct error err = { 0 };
	char bytes[64];
	int ends[2];

	if (!ok(pipe(ends) == 0, "a pipe"))
		return;
	buffer_append(&hello, "hello", 5);
	ok(answer_message(ends[1], &hello, &err) == 0 &&
		   answer_message(ends[1], &empty, &err) == 0 &&
		   answer_status(ends[1], GRPC_NOT_FOUND, "no such", &err) == 0,
	   "an answer is written");
	ssize_t length = read(ends[0], bytes, sizeof bytes);
	close(ends[0]);
	close(ends[1]);
	for (size_t step = 1; step < 30; step += 4)
		take_in_steps(bytes, length > 0 ? (size_t)length : 0, step);
	refuses("\3\0\0\0\1a", 6, "unknown flags");
	refuses("\0\377\0\0\0", 5, "a message beyond all bounds");
	refuses("\200\0\0\0\0", 5, "a status of no bytes");
	refuses("\200\0\0\0\1\0\0", 7, "more after the status");
}

static void test_base64(void)
{
	static const char *const pairs[][2] = {
		{ "", "" },	   { "f", "Zg==" },	   { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xfb\xff", "+/8=" }
	};
	static const char *const bad[] = { "A", "A===", "AA=A", "=", "====", "Zg==Zg==", "Z g=" };
	unsigned char data[16];

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		size_t length = strlen(pairs[i][0]);
		cleanup_free char *text = base64_encode(pairs[i][0], length);

		is(text, pairs[i][1], "base64 of %zu bytes", length);
		ok(base64_decode(pairs[i][1], strlen(pairs[i][1]), data) == (ssize_t)length &&
			   memcmp(data, pairs[i][0], length) == 0,
		   "and back");
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(base64_decode(bad[i], strlen(bad[i]), data) < 0, "\"%s\" is not base64", bad[i]);
	ok(base64_decode("Zm9v\r\nYg=\n=\n", 12, data) == 4 && memcmp(data, "foob", 4) == 0,
	   "base64 in lines");
}

int main(void)
{
	test_timeout();
	test_message();
	test_frames();
	test_statuses();
	test_answer();
	test_base64();
	return tap_done();
}

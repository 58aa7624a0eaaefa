/* SPDX-License-Identifier: Apache-2.0 */
/* SPDY frames: streams that come and go, windows, what is no SPDY. */
#include "ocid-dispatch/stream/spdy.h"

#include "lib/cleanup.h"
#include "ocid-dispatch/stream/spdy_headers.h"

#include "tests/unit/tap.h"

#include <stdlib.h>
#include <zlib.h>

/* What the events told, as text. */
struct heard {
	char text[1024];
	struct spdy_stream *stream; /* the newest */
};

static void note(struct heard *heard, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct heard *heard, const char *format, ...)
{
	size_t length = strlen(heard->text);
	va_list args;

	va_start(args, format);
	vsnprintf(heard->text + length, sizeof heard->text - length, format, args);
	va_end(args);
}

static void on_opened(void *owner, struct spdy_stream *stream, const struct strings *fields)
{
	struct heard *heard = owner;
	const char *type = spdy_field(fields, "streamtype");

	note(heard, "open %s;", type ? type : "?");
	heard->stream = stream;
	spdy_accept(stream);
}

static void on_data(void *owner, struct spdy_stream *stream, const void *data, size_t length)
{
	(void)stream;
	note(owner, "data %.*s;", (int)length, (const char *)data);
}

static void on_ended(void *owner, struct spdy_stream *stream)
{
	(void)stream;
	note(owner, "end;");
}

static void on_closed(void *owner, struct spdy_stream *stream, bool reset)
{
	struct heard *heard = owner;

	note(heard, reset ? "reset;" : "closed;");
	if (heard->stream == stream)
		heard->stream = NULL;
}

static const struct spdy_events events = { on_opened, on_data, on_ended, on_closed };

/* ---- a client ---- */

static void put32(struct buffer *out, unsigned long number)
{
	const unsigned char bytes[] = { (unsigned char)(number >> 24),
					(unsigned char)(number >> 16), (unsigned char)(number >> 8),
					(unsigned char)number };

	buffer_append(out, bytes, sizeof bytes);
}

static void put_text(struct buffer *out, const char *text)
{
	put32(out, strlen(text));
	buffer_append(out, text, strlen(text));
}

static void put_syn_stream(struct buffer *out, z_stream *deflater, unsigned id, unsigned flags,
			   const char *type)
{
	cleanup_buffer struct buffer plain = { 0 };
	unsigned char block[512];

	put32(&plain, 1);
	put_text(&plain, "StreamType");
	put_text(&plain, type);
	deflater->next_in = (unsigned char *)buffer_data(&plain);
	deflater->avail_in = (uInt)buffer_length(&plain);
	deflater->next_out = block;
	deflater->avail_out = sizeof block;
	deflate(deflater, Z_SYNC_FLUSH);

	size_t length = sizeof block - deflater->avail_out;
	put32(out, 0x80030001);
	put32(out, flags << 24 | (10 + length));
	put32(out, id);
	put32(out, 0);
	buffer_append(out, "\0\0", 2);
	buffer_append(out, block, length);
}

static void put_words(struct buffer *out, size_t count, const unsigned long *words)
{
	for (size_t i = 0; i < count; i++)
		put32(out, words[i]);
}

#define PUT(out, ...)                                                                              \
	put_words(out, sizeof((const unsigned long[]){ __VA_ARGS__ }) / sizeof(unsigned long),     \
		  (const unsigned long[]){ __VA_ARGS__ })

static void put_data(struct buffer *out, unsigned id, bool fin, const char *text)
{
	PUT(out, id, (fin ? 0x1000000UL : 0) | strlen(text));
	buffer_append(out, text, strlen(text));
}

/* Give it in pieces of that size. */
static int give(struct spdy *session, const struct buffer *input, size_t piece)
{
	const unsigned char *data = buffer_data(input);
	struct error err = { 0 };

	for (size_t at = 0; at < buffer_length(input); at += piece) {
		size_t left = buffer_length(input) - at;

		if (spdy_receive(session, data + at, left < piece ? left : piece, &err) < 0)
			return -1;
	}
	return 0;
}

/* The type of the frame at an offset of the output, 0 for data; its size. */
static unsigned frame_at(struct spdy *session, size_t at, size_t *size)
{
	const unsigned char *data = buffer_data(spdy_output(session)) + at;

	*size = 8 + ((size_t)data[5] << 16 | (size_t)data[6] << 8 | data[7]);
	return data[0] & 0x80 ? data[3] : 0;
}

static void said(struct spdy *session, char *types, size_t max)
{
	size_t size, count = 0;

	for (size_t at = 0; at < buffer_length(spdy_output(session)); at += size)
		if (count + 1 < max)
			types[count++] = (char)('0' + frame_at(session, at, &size));
	types[count] = '\0';
}

static void drain(struct spdy *session)
{
	buffer_consume(spdy_output(session), buffer_length(spdy_output(session)));
}

static void test_streams(size_t piece)
{
	struct heard heard = { 0 };
	struct error err = { 0 };
	cleanup_buffer struct buffer input = { 0 };
	struct spdy *session = spdy_new(&events, &heard, &err);
	z_stream deflater = { 0 };
	char types[64];

	deflateInit(&deflater, 9);
	put_syn_stream(&input, &deflater, 1, 0, "error");
	put_syn_stream(&input, &deflater, 3, 1, "stdout");
	put_data(&input, 1, false, "");
	put_data(&input, 1, true, "hello");
	PUT(&input, 0x80030006, 4, 7); /* ping */
	PUT(&input, 0x80030006, 4, 8); /* an answer to none of ours */
	PUT(&input, 0x8003000a, 4, 0); /* a type nobody knows */
	put_data(&input, 3, false, "after its end");
	PUT(&input, 0x80030003, 8, 1, 5);
	put_data(&input, 1, false, "late");
	ok(give(session, &input, piece) == 0, "pieces of %zu: taken", piece);
	if (piece > 10)
		is(heard.text, "open error;open stdout;end;data hello;end;reset;", "what was told");
	else
		ok(strstr(heard.text, "o;end;reset;") != NULL, "the ends in order");
	said(session, types, sizeof types);
	is(types, "49226", "settings, window, two replies, the ping");
	deflateEnd(&deflater);
	spdy_free(session);
}

static void test_windows(void)
{
	struct heard heard = { 0 };
	struct error err = { 0 };
	cleanup_buffer struct buffer input = { 0 };
	struct spdy *session = spdy_new(&events, &heard, &err);
	z_stream deflater = { 0 };
	static const char zeros[60000];
	char types[64];

	deflateInit(&deflater, 9);
	put_syn_stream(&input, &deflater, 1, 0, "stdout");
	give(session, &input, 1000);
	ok(spdy_room(heard.stream) == SIZE_MAX, "a client without windows has none");
	buffer_consume(&input, buffer_length(&input));
	PUT(&input, 0x80030004, 12, 1, 7, 100000); /* settings: initial window */
	give(session, &input, 1000);
	ok(spdy_room(heard.stream) == 65536, "the session's window is the smaller one");
	spdy_send(heard.stream, zeros, sizeof zeros);
	ok(spdy_room(heard.stream) == 5536, "what is sent counts");
	buffer_consume(&input, buffer_length(&input));
	PUT(&input, 0x80030009, 8, 0, 1000000);
	PUT(&input, 0x80030009, 8, 1, 10);
	give(session, &input, 1000);
	ok(spdy_room(heard.stream) == 40010, "then the stream's is");
	drain(session);
	spdy_consumed(session, heard.stream, SPDY_WINDOW / 2);
	said(session, types, sizeof types);
	is(types, "9", "half a window is given back");
	buffer_consume(&input, buffer_length(&input));
	PUT(&input, 0x80030009, 8, 1, 0x7fffffff);
	give(session, &input, 1000);
	ok(strstr(heard.text, "reset;") != NULL, "a window too large ends the stream");
	deflateEnd(&deflater);
	spdy_free(session);
}

static void test_limit(void)
{
	struct heard heard = { 0 };
	struct error err = { 0 };
	cleanup_buffer struct buffer input = { 0 };
	struct spdy *session = spdy_new(&events, &heard, &err);
	z_stream deflater = { 0 };
	size_t size, resets = 0;

	deflateInit(&deflater, 9);
	for (unsigned i = 0; i < SPDY_STREAMS_MAX + 10; i++)
		put_syn_stream(&input, &deflater, 2 * i + 1, 0, "data");
	ok(give(session, &input, 1000) == 0, "too many streams are no end of the session");
	for (size_t at = 0; at < buffer_length(spdy_output(session)); at += size)
		resets += frame_at(session, at, &size) == 3;
	ok(resets == 10, "those beyond the limit are refused");
	deflateEnd(&deflater);
	spdy_free(session);
}

static void test_again(void)
{
	struct heard heard = { 0 };
	struct error err = { 0 };
	cleanup_buffer struct buffer input = { 0 };
	struct spdy *session = spdy_new(&events, &heard, &err);
	z_stream deflater = { 0 };

	deflateInit(&deflater, 9);
	put_syn_stream(&input, &deflater, 5, 0, "data");
	ok(give(session, &input, 1000) == 0, "a stream");
	buffer_consume(&input, buffer_length(&input));
	put_syn_stream(&input, &deflater, 5, 0, "data");
	ok(give(session, &input, 1000) < 0, "is not opened again");
	deflateEnd(&deflater);
	spdy_free(session);
}

static void refuses(const char *name, const unsigned long *words, size_t count)
{
	struct heard heard = { 0 };
	struct error err = { 0 };
	cleanup_buffer struct buffer input = { 0 };
	struct spdy *session = spdy_new(&events, &heard, &err);
	char types[64];

	put_words(&input, count, words);
	ok(give(session, &input, 1000) < 0, "%s", name);
	said(session, types, sizeof types);
	is(types, "497", "%s: GOAWAY says so", name);
	spdy_free(session);
}

#define REFUSES(name, ...)                                                                         \
	refuses(name, (const unsigned long[]){ __VA_ARGS__ },                                      \
		sizeof((const unsigned long[]){ __VA_ARGS__ }) / sizeof(unsigned long))

int main(void)
{
	test_streams(1);
	test_streams(7);
	test_streams(10000);
	test_windows();
	test_limit();
	test_again();
	REFUSES("version 2", 0x80020006, 4, 1);
	REFUSES("a control frame too long", 0x80030001, 0x20000);
	REFUSES("SYN_STREAM with an even number", 0x80030001, 12, 2, 0, 0);
	REFUSES("SYN_STREAM without headers", 0x80030001, 4, 1);
	REFUSES("headers that are no zlib", 0x80030001, 14, 1, 0, 0xffff, 0xffff0000);
	REFUSES("SYN_REPLY", 0x80030002, 4, 1);
	REFUSES("data of no stream", 5, 4, 0);
	REFUSES("data of the session", 0, 4, 0);
	REFUSES("SETTINGS that lie", 0x80030004, 4, 1000);
	REFUSES("SETTINGS with a huge window", 0x80030004, 12, 1, 7, 0x80000000);
	REFUSES("PING of a wrong size", 0x80030006, 8, 1, 1);
	return tap_done();
}

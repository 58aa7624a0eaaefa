/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request, and which protocol it leads to. */
#include "ocid-dispatch/stream/handshake.h"

#include "lib/cleanup.h"
#include "ocid-dispatch/stream/http1.h"
#include "ocid-dispatch/stream/sha1.h"
#include "ocid-dispatch/stream/websocket.h"

#include "tests/unit/tap.h"

#include <openssl/sha.h>
#include <stdlib.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* as long */
#define WORDS "tokens-are-hexadecimal-tokens-are-hexadecimal-tokens-are-hexadec"
#define HOST  "Host: x\r\n"

static void test_heads(void)
{
	static const struct {
		const char *head;
		int length; /* of the head, 0: more is needed, -1: malformed */
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", 27 },
		{ "GET / HTTP/1.1\r\n" HOST "\r\nmore", 27 },
		{ "GET / HTTP/1.1\r\n" HOST "A:\r\n\r\n", 31 },
		{ "GET / HTTP/1.1\r\n" HOST "\r", 0 },
		{ "", 0 },
		{ "GET / HTTP/1.1\r\n\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", -1 },
		{ "GET / HTTP/1.0\r\n" HOST "\r\n", -1 },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", -1 },
		{ "GET x HTTP/1.1\r\n" HOST "\r\n", -1 },
		{ "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", -1 },
		{ "G@T / HTTP/1.1\r\n" HOST "\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 46 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", -1 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", -1 },
		{ "\r\n\r\n", -1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_http1 struct http1_request request = { 0 };
		struct error err = { 0 };

		ok(http1_parse(cases[i].head, strlen(cases[i].head), &request, &err) ==
			   cases[i].length,
		   "head %zu", i);
	}
}

static void test_nul(void)
{
	static const char head[] = "GET / HTTP/1.1\r\n" HOST "A: \0\r\n\r\n";
	cleanup_http1 struct http1_request request = { 0 };
	struct error err = { 0 };

	ok(http1_parse(head, sizeof head - 1, &request, &err) < 0, "a NUL in the head");
}

static void test_limits(void)
{
	cleanup_http1 struct http1_request request = { 0 };
	cleanup_free char *huge = xcalloc(HTTP1_HEAD_MAX + 1, 1);
	cleanup_buffer struct buffer many = { 0 };
	struct error err = { 0 };

	memset(huge, 'x', HTTP1_HEAD_MAX);
	ok(http1_parse(huge, HTTP1_HEAD_MAX - 1, &request, &err) == 0, "just not too long");
	ok(http1_parse(huge, HTTP1_HEAD_MAX, &request, &err) < 0 && err.kind == ERROR_LIMIT,
	   "too long");
	buffer_append(&many, "GET / HTTP/1.1\r\n", 16);
	for (int i = 0; i <= HTTP1_FIELDS_MAX; i++)
		buffer_append(&many, "a: b\r\n", 6);
	buffer_append(&many, "\r\n", 2);
	err.kind = 0;
	ok(http1_parse(buffer_data(&many), buffer_length(&many), &request, &err) < 0 &&
		   err.kind == ERROR_LIMIT,
	   "too many fields");
}

/* The first line of the answer, or of the response, and the carrier's number. */
static void decides(const char *line, const char *fields, const char *expected)
{
	cleanup_http1 struct http1_request request = { 0 };
	cleanup_free char *head = xasprintf("%s HTTP/1.1\r\n" HOST "%s\r\n", line, fields);
	cleanup_free char *refusal = NULL;
	struct handshake handshake;
	struct error err = { 0 };
	char text[64];

	if (http1_parse(head, strlen(head), &request, &err) < 0) {
		ok(0, "%s: %s", line, err.message);
		return;
	}
	if (handshake_decide(&request, &handshake, &refusal) < 0)
		snprintf(text, sizeof text, "%.3s", refusal + sizeof "HTTP/1.1 " - 1);
	else
		snprintf(text, sizeof text, "%d %d v%u", (int)handshake.kind,
			 (int)handshake.carrier, handshake.version);
	is(text, expected, "%s, %s", line, expected);
	free(handshake.response);
}

static void test_decisions(void)
{
#define UPGRADE	  "Connection: keep-alive, upgrade\r\nUpgrade: "
#define SPDY	  UPGRADE "SPDY/3.1\r\nX-Stream-Protocol-Version: "
#define WEBSOCKET UPGRADE "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
#define KEY	  "dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTOCOL  WEBSOCKET KEY "Sec-WebSocket-Protocol: "
	decides("POST /exec/" TOKEN, SPDY "v4.channel.k8s.io\r\n", "0 0 v4");
	decides("GET /attach/" TOKEN, SPDY "v9, v3.channel.k8s.io, channel.k8s.io\r\n", "1 0 v3");
	decides("GET /attach/" TOKEN "?x=y", UPGRADE "spdy/3.1\r\n", "1 0 v1");
	decides("POST /portforward/" TOKEN, SPDY "portforward.k8s.io\r\n", "2 0 v1");
	decides("POST /portforward/" TOKEN, SPDY "v4.channel.k8s.io\r\n", "403");
	decides("GET /exec/" TOKEN, PROTOCOL "v5.channel.k8s.io, v4.channel.k8s.io\r\n", "0 2 v5");
	decides("GET /exec/" TOKEN, PROTOCOL "base64.channel.k8s.io\r\n", "0 3 v1");
	decides("GET /exec/" TOKEN, WEBSOCKET KEY, "0 2 v1");
	decides("GET /portforward/" TOKEN, PROTOCOL "SPDY/3.1+portforward.k8s.io\r\n", "2 1 v1");
	decides("GET /portforward/" TOKEN, WEBSOCKET KEY, "2 2 v4");
	decides("GET /exec/" TOKEN, PROTOCOL "SPDY/3.1+portforward.k8s.io\r\n", "400");
	decides("POST /exec/" TOKEN, WEBSOCKET KEY, "400");
	decides("GET /exec/" TOKEN, WEBSOCKET "c2hvcnQ=\r\n", "400");
	decides("GET /exec/" TOKEN, UPGRADE "websocket\r\n", "426");
	decides("GET /exec/" TOKEN, UPGRADE "h2c\r\n", "426");
	decides("GET /exec/" TOKEN, "", "426");
	decides("DELETE /exec/" TOKEN, "", "405");
	decides("GET /exec/" TOKEN "0", "", "404");
	decides("GET /exec/" TOKEN "/x", "", "404");
	decides("GET /exec/0123", "", "404");
	decides("GET /exec/" WORDS, "", "404");
	decides("GET /exec/../" TOKEN, "", "404");
	decides("GET /other/" TOKEN, "", "404");
}

static void test_sha1(void)
{
	unsigned char text[SHA1_TEXT_MAX], ours[SHA1_SIZE], theirs[SHA1_SIZE];
	size_t same = 0;

	for (size_t length = 0; length <= sizeof text; length++) {
		if (length > 0)
			text[length - 1] = (unsigned char)(length * 37);
		sha1_short(text, length, ours);
		SHA1(text, length, theirs);
		same += memcmp(ours, theirs, sizeof ours) == 0;
	}
	ok(same == sizeof text + 1, "SHA-1 of texts of any length");
}

int main(void)
{
	test_heads();
	test_nul();
	test_limits();
	test_decisions();
	test_sha1();

	/* RFC 6455, 1.3 */
	cleanup_free char *accept = websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");
	is(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the RFC's example");
	ok(!websocket_accept("dGhlIHNhbXBsZSBub25jZQ"), "a key without its padding");
	ok(!websocket_accept("dGhlIHNhbXBsZSBub25jZQ==="), "one with more");
	ok(!websocket_accept("dGhlIHNhbXBsZSBub25jZQab"), "a key of 18 bytes");
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/handshake.h"

#include "lib/cleanup.h"
#include "ocid-dispatch/stream/websocket.h"

#include <stdio.h>
#include <string.h>

#define BAD_REQUEST	 "400 Bad Request"
#define UPGRADE_REQUIRED "426 Upgrade Required"
#define SPDY_VERSION	 "X-Stream-Protocol-Version"

struct protocol {
	const char *name;
	enum handshake_carrier carrier;
	unsigned version;
};

static const struct protocol spdy_command[] = {
	{ "v4.channel.k8s.io", HANDSHAKE_SPDY, 4 },
	{ "v3.channel.k8s.io", HANDSHAKE_SPDY, 3 },
	{ "v2.channel.k8s.io", HANDSHAKE_SPDY, 2 },
	{ "channel.k8s.io", HANDSHAKE_SPDY, 1 },
	{ 0 },
};

static const struct protocol spdy_forward[] = {
	{ "portforward.k8s.io", HANDSHAKE_SPDY, 1 },
	{ 0 },
};

/* The empty name is for clients that name none. */
static const struct protocol websocket_command[] = {
	{ "v5.channel.k8s.io", HANDSHAKE_BINARY, 5 },
	{ "v4.channel.k8s.io", HANDSHAKE_BINARY, 4 },
	{ "v4.base64.channel.k8s.io", HANDSHAKE_BASE64, 4 },
	{ "channel.k8s.io", HANDSHAKE_BINARY, 1 },
	{ "base64.channel.k8s.io", HANDSHAKE_BASE64, 1 },
	{ "", HANDSHAKE_BINARY, 1 },
	{ 0 },
};

static const struct protocol websocket_forward[] = {
	{ "SPDY/3.1+portforward.k8s.io", HANDSHAKE_TUNNEL, 1 },
	{ "v4.channel.k8s.io", HANDSHAKE_BINARY, 4 },
	{ "v4.base64.channel.k8s.io", HANDSHAKE_BASE64, 4 },
	{ "", HANDSHAKE_BINARY, 4 },
	{ 0 },
};

static const char *const kind_names[] = { "exec", "attach", "portforward" };

char *handshake_refusal(const char *status, const char *headers, const char *text)
{
	return xasprintf("HTTP/1.1 %s\r\n"
			 "Content-Type: text/plain; charset=utf-8\r\n"
			 "Content-Length: %zu\r\n"
			 "%s"
			 "Connection: close\r\n\r\n%s\n",
			 status, strlen(text) + 1, headers, text);
}

static int refuse(char **refusal, const char *status, const char *headers, const char *text)
{
	*refusal = handshake_refusal(status, headers, text);
	return -1;
}

/* "/exec/TOKEN", perhaps with a query, which says nothing. */
static int parse_target(const char *target, struct handshake *handshake)
{
	for (size_t kind = 0; kind < sizeof kind_names / sizeof *kind_names; kind++) {
		size_t length = strlen(kind_names[kind]);
		const char *token = target + length + 2;

		if (strncmp(target + 1, kind_names[kind], length) != 0 || target[length + 1] != '/')
			continue;
		if (strspn(token, "0123456789abcdef") != STREAM_TOKEN_SIZE - 1 ||
		    !strchr("?", token[STREAM_TOKEN_SIZE - 1]))
			return -1;
		handshake->kind = (enum stream_kind)kind;
		snprintf(handshake->token, sizeof handshake->token, "%s", token);
		return 0;
	}
	return -1;
}

/* The first of the client's protocols that is ours. */
static const struct protocol *choose(const struct strings *offered, const struct protocol *ours)
{
	for (size_t i = 0; i < offered->count; i++)
		for (const struct protocol *protocol = ours; protocol->name; protocol++)
			if (*protocol->name && strcmp(offered->items[i], protocol->name) == 0)
				return protocol;
	return NULL;
}

/* The row for a client that offers nothing, the last one. */
static const struct protocol *unnamed(const struct protocol *ours)
{
	while (ours[1].name)
		ours++;
	return ours;
}

static void take(struct handshake *handshake, const struct protocol *protocol)
{
	handshake->carrier = protocol->carrier;
	handshake->version = protocol->version;
}

static int decide_spdy(const struct http1_request *request, struct handshake *handshake,
		       char **refusal)
{
	const struct protocol *ours =
		handshake->kind == STREAM_PORT_FORWARD ? spdy_forward : spdy_command;
	cleanup_strings struct strings offered = { 0 };
	const struct protocol *chosen;

	http1_list(request, SPDY_VERSION, &offered);
	chosen = offered.count > 0 ? choose(&offered, ours) : unnamed(ours);
	if (!chosen) {
		cleanup_free char *accepted = xstrdup("");

		for (; ours->name; ours++) {
			cleanup_free char *before = accepted;

			accepted = xasprintf("%sX-Accepted-Stream-Protocol-Versions: %s\r\n",
					     before, ours->name);
		}
		return refuse(refusal, "403 Forbidden", accepted,
			      "none of the client's stream protocols is known here");
	}
	take(handshake, chosen);
	handshake->response = xasprintf("HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: SPDY/3.1\r\n" SPDY_VERSION ": %s\r\n\r\n",
					chosen->name);
	return 0;
}

static int decide_websocket(const struct http1_request *request, struct handshake *handshake,
			    char **refusal)
{
	const struct protocol *ours =
		handshake->kind == STREAM_PORT_FORWARD ? websocket_forward : websocket_command;
	const char *version = http1_field(request, "Sec-WebSocket-Version");
	const char *key = http1_field(request, "Sec-WebSocket-Key");
	cleanup_free char *accept = key ? websocket_accept(key) : NULL;
	cleanup_strings struct strings offered = { 0 };
	const struct protocol *chosen;

	if (!version || strcmp(version, "13") != 0)
		return refuse(refusal, UPGRADE_REQUIRED, "Sec-WebSocket-Version: 13\r\n",
			      "WebSocket of version 13 is wanted");
	if (strcmp(request->method, "GET") != 0 || !accept)
		return refuse(refusal, BAD_REQUEST, "", "malformed WebSocket handshake");
	http1_list(request, "Sec-WebSocket-Protocol", &offered);
	chosen = offered.count > 0 ? choose(&offered, ours) : unnamed(ours);
	if (!chosen)
		return refuse(refusal, BAD_REQUEST, "",
			      "none of the client's WebSocket protocols is known here");
	take(handshake, chosen);
	handshake->response = xasprintf("HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
					accept, *chosen->name ? "Sec-WebSocket-Protocol: " : "",
					chosen->name, *chosen->name ? "\r\n" : "");
	return 0;
}

int handshake_decide(const struct http1_request *request, struct handshake *handshake,
		     char **refusal)
{
	*handshake = (struct handshake){ 0 };
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "POST") != 0)
		return refuse(refusal, "405 Method Not Allowed", "Allow: GET, POST\r\n",
			      "only GET and POST are answered");
	if (parse_target(request->target, handshake) < 0)
		return refuse(refusal, "404 Not Found", "", "no such address");
	if (http1_list_has(request, "Connection", "Upgrade")) {
		if (http1_list_has(request, "Upgrade", "websocket"))
			return decide_websocket(request, handshake, refusal);
		if (http1_list_has(request, "Upgrade", "SPDY/3.1"))
			return decide_spdy(request, handshake, refusal);
	}
	return refuse(refusal, UPGRADE_REQUIRED, "Upgrade: SPDY/3.1, websocket\r\n",
		      "an upgrade to SPDY/3.1 or WebSocket is wanted");
}

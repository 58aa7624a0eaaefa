/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/publish.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

/* A port in decimal, 1 to 65535; 0 when it is not one. */
static int parse_port(const char *text, size_t length)
{
	int port = 0;

	if (length == 0 || length > 5)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (text[i] - '0');
	}
	return port > 65535 ? 0 : port;
}

static bool is_protocol(const char *text)
{
	return strcmp(text, "tcp") == 0 || strcmp(text, "udp") == 0 || strcmp(text, "sctp") == 0;
}

/* The address before the ports, in its canonical form; NULL when it is not one. */
static char *parse_address(const char *text, size_t length)
{
	bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
	cleanup_free char *copy =
		bracketed ? xstrndup(text + 1, length - 2) : xstrndup(text, length);
	unsigned char binary[sizeof(struct in6_addr)];
	char canonical[INET6_ADDRSTRLEN];
	int family = bracketed ? AF_INET6 : AF_INET;

	if (inet_pton(family, copy, binary) != 1 ||
	    !inet_ntop(family, binary, canonical, sizeof canonical))
		return NULL;
	return xstrdup(canonical);
}

/* The address part [0, *length) of "ADDRESS:PORT"; 0 length when there is none. */
static size_t address_length(const char *text, size_t ports)
{
	for (size_t i = ports; i > 0; i--)
		if (text[i - 1] == ':')
			return i - 1;
	return 0;
}

/* None is all of both families, 0.0.0.0 and :: are all of one. */
static bool overlap(const char *one, const char *other)
{
	const char *const any[] = { "0.0.0.0", "::" };
	bool six = strchr(one, ':') != NULL;

	if (!*one || !*other)
		return true;
	return six == (strchr(other, ':') != NULL) &&
	       (strcmp(one, other) == 0 || strcmp(one, any[six]) == 0 ||
		strcmp(other, any[six]) == 0);
}

bool publish_conflicts(const json_t *one, const json_t *other)
{
	json_int_t port = json_integer_value(json_object_get(one, "hostPort"));

	return port > 0 && port == json_integer_value(json_object_get(other, "hostPort")) &&
	       strcasecmp(json_text(one, "protocol", "tcp"), json_text(other, "protocol", "tcp")) ==
		       0 &&
	       overlap(json_text(one, "hostIP", ""), json_text(other, "hostIP", ""));
}

static int append(const char *text, json_t *mappings, json_t *mapping, struct error *err)
{
	const json_t *other;
	size_t i;

	json_array_foreach (mappings, i, other) {
		if (publish_conflicts(mapping, other)) {
			json_decref(mapping);
			return error_set(err, ERROR_USAGE, "\"%s\" publishes a host port twice",
					 text);
		}
	}
	json_array_append_new(mappings, mapping);
	return 0;
}

static int malformed(const char *text, struct error *err)
{
	error_set(err, ERROR_USAGE, "\"%s\" is not a published port", text);
	return error_hint(err,
			  "[HOSTIP:]HOSTPORT:PORT[/tcp|udp|sctp], as in 127.0.0.1:8080:80/tcp");
}

int publish_parse(const char *text, json_t *mappings, struct error *err)
{
	const char *slash = strchr(text, '/');
	const char *protocol = slash ? slash + 1 : "tcp";
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	const char *colon = memrchr(text, ':', length);

	if (!colon || !is_protocol(protocol))
		return malformed(text, err);

	size_t ports = (size_t)(colon - text); /* "[HOSTIP:]HOSTPORT" */
	size_t address = address_length(text, ports);
	size_t host_at = memchr(text, ':', ports) ? address + 1 : 0;
	int host_port = parse_port(text + host_at, ports - host_at);
	int port = parse_port(colon + 1, length - ports - 1);
	if (!host_port || !port)
		return malformed(text, err);

	cleanup_free char *host_ip = host_at ? parse_address(text, address) : NULL;
	if (host_at && !host_ip)
		return malformed(text, err);
	return append(text, mappings,
		      json_pack("{s:i, s:i, s:s, s:s*}", "hostPort", host_port, "containerPort",
				port, "protocol", protocol, "hostIP", host_ip),
		      err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "ocid-dispatch/stream/services.h"
#include "ocid-dispatch/stream/spdy_headers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PORT_DIGITS = 5,
	REQUEST_ID_MAX = 64,
	END_MS = 1000, /* for a client to end its half, too; with containerd and cri-o as well */
};

enum state { WAITING, ASKED, CONNECTING, OPEN, DONE };

/* One connection to a port: two channels that name the same request. */
struct forward {
	struct forward *next;
	struct channel *data, *errors;
	char *request; /* NULL for numbered channels */
	uint32_t number;
	uint16_t port;
	bool ipv6; /* tried after IPv4 */
	enum state state;
	int64_t end_ms; /* when it ends in any case, by clock_ms(); 0: not while the port speaks */
};

struct forwards {
	struct forward *first;
	uint32_t last_number;
	bool numbered;
};

static struct forwards *forwards_of(const struct session *session)
{
	return session->service_data;
}

static struct forward *new_forward(const struct session *session, const char *request,
				   uint16_t port)
{
	struct forwards *forwards = forwards_of(session);
	struct forward *forward = xcalloc(1, sizeof *forward);

	forward->request = request ? xstrdup(request) : NULL;
	forward->number = ++forwards->last_number;
	forward->port = port;
	forward->next = forwards->first;
	forwards->first = forward;
	return forward;
}

static int parse_port(const char *text, uint16_t *port)
{
	size_t length = text ? strlen(text) : 0;
	long number;

	if (length == 0 || length > PORT_DIGITS || strspn(text, "0123456789") != length)
		return -1;
	number = strtol(text, NULL, 10);
	if (number < 1 || number > UINT16_MAX)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

static struct forward *find_request(const struct session *session, const char *request)
{
	struct forward *forward = forwards_of(session)->first;

	while (forward && (forward->state == DONE || strcmp(forward->request, request) != 0))
		forward = forward->next;
	return forward;
}

static int opened(struct channel *channel, const struct strings *fields, struct error *err)
{
	const char *type = spdy_field(fields, "streamtype");
	const char *request = spdy_field(fields, "requestid");
	uint16_t port;

	if (parse_port(spdy_field(fields, "port"), &port) < 0)
		return error_set(err, ERROR_USAGE, "a stream without a port");
	if (!request || strlen(request) > REQUEST_ID_MAX)
		return error_set(err, ERROR_USAGE, "a stream without a request");
	if (!type || (strcmp(type, "data") != 0 && strcmp(type, "error") != 0))
		return error_set(err, ERROR_USAGE, "a stream of no known type");

	struct forward *forward = find_request(channel->session, request);
	if (!forward)
		forward = new_forward(channel->session, request, port);

	struct channel **place = *type == 'd' ? &forward->data : &forward->errors;
	if (*place || forward->port != port)
		return error_set(err, ERROR_USAGE, "a request twice");
	*place = channel;
	channel->owner = forward;
	channel->deaf = *type == 'e';
	return 0;
}

/* ---- connecting ---- */

static int ask_to_connect(struct session *session, struct forward *forward, struct error *err)
{
	const struct stream_request request = { .verb = STREAM_CONNECT,
						.number = forward->number,
						.port = forward->port,
						.ipv6 = forward->ipv6 };

	forward->state = ASKED;
	return stream_control_send(session->control_fd, &request, sizeof request, NULL, 0, err);
}

/* What failed with IPv4 is tried with IPv6. */
static int try_next(struct session *session, struct forward *forward, const char *reason,
		    struct error *err)
{
	if (!forward->ipv6) {
		forward->ipv6 = true;
		return ask_to_connect(session, forward, err);
	}

	cleanup_free char *text =
		xasprintf("error forwarding port %u: %s", (unsigned)forward->port, reason);
	channel_send(forward->errors, text, strlen(text));
	channel_drop(forward->data);
	forward->state = OPEN; /* and over */
	return 0;
}

static struct forward *find_number(const struct session *session, uint32_t number)
{
	struct forward *forward = forwards_of(session)->first;

	while (forward && (forward->state != ASKED || forward->number != number))
		forward = forward->next;
	return forward;
}

static int on_reply(struct session *session, const struct stream_reply *reply, const int *fds,
		    size_t count, struct error *err)
{
	struct forward *forward = find_number(session, reply->number);
	struct channel *channel = forward ? forward->data : NULL;

	if (!channel || channel->deaf) { /* the client has reset it meanwhile */
		if (forward)
			forward->state = OPEN;
		if (count > 0)
			close(fds[0]);
		return 0;
	}
	if (count == 0)
		return try_next(session, forward, reply->message, err);
	forward->state = CONNECTING;
	channel->in_fd = channel->out_fd = fds[0];
	channel->connecting = true;
	return 0;
}

static int connected(struct channel *channel, int failure, struct error *err)
{
	struct forward *forward = channel->owner;

	if (failure == 0) {
		forward->state = OPEN;
		return 0;
	}
	close(channel->in_fd);
	channel->in_fd = channel->out_fd = -1;
	return try_next(channel->session, forward, strerror(failure), err);
}

/* ---- the end ---- */

/* True when no bytes go either way any more, or never will. */
static bool is_over(const struct forward *forward)
{
	const struct channel *data = forward->data;

	if (forward->state == WAITING) /* the client has reset one */
		return (data && !data->carried) || (forward->errors && !forward->errors->carried);
	return (forward->state == OPEN || forward->state == CONNECTING) && data->out_fd < 0 &&
	       data->in_fd < 0;
}

/* The port has said all. Over WebSocket a client can neither see that nor end its own half, and
 * kubectl before 1.32 waits for the end of the errors before it does: so it is not waited for. */
static void end_half(struct session *session, struct forward *forward)
{
	struct channel *data = forward->data;

	if (forward->state != OPEN || data->out_fd >= 0 || data->in_fd < 0)
		return;
	if (!forward->end_ms)
		forward->end_ms = clock_ms() + END_MS;
	if (forward->end_ms <= clock_ms())
		channel_drop(data);
	else if (!session->deadline_ms || forward->end_ms < session->deadline_ms)
		session->deadline_ms = forward->end_ms;
}

static void end_forward(struct forward *forward)
{
	struct channel *const channels[] = { forward->data, forward->errors };

	for (size_t i = 0; i < 2; i++)
		if (channels[i]) {
			channels[i]->deaf = true;
			channel_finish(channels[i]);
		}
	forward->state = DONE;
}

/* True when the client knows neither channel any more. */
static bool is_forgotten(const struct forward *forward)
{
	return (!forward->data || !forward->data->carried) &&
	       (!forward->errors || !forward->errors->carried);
}

static void free_forward(struct forward *forward)
{
	if (forward->data)
		session_remove(forward->data);
	if (forward->errors)
		session_remove(forward->errors);
	free(forward->request);
	free(forward);
}

static int step(struct session *session, struct error *err)
{
	struct forwards *forwards = forwards_of(session);
	struct forward **link = &forwards->first, *forward;
	bool all_done = true;

	session->deadline_ms = 0;
	while ((forward = *link)) {
		if (forward->state == WAITING && forward->data && forward->errors &&
		    !is_over(forward) && ask_to_connect(session, forward, err) < 0)
			return -1;
		end_half(session, forward);
		if (is_over(forward))
			end_forward(forward);
		if (forward->state == DONE && is_forgotten(forward)) {
			*link = forward->next;
			free_forward(forward);
			continue;
		}
		all_done = all_done && forward->state == DONE;
		link = &forward->next;
	}
	if (forwards->numbered && all_done)
		session_leave(session);
	return 0;
}

/* The channels are freed by the session. */
static void forwards_free(struct session *session)
{
	struct forwards *forwards = forwards_of(session);

	while (forwards->first) {
		struct forward *forward = forwards->first;

		forwards->first = forward->next;
		free(forward->request);
		free(forward);
	}
	free(forwards);
}

/* A numbered channel begins with its port in two bytes, the lower one first. */
static struct channel *numbered_channel(struct session *session, unsigned number,
					struct forward *forward)
{
	const unsigned char port[] = { (unsigned char)forward->port,
				       (unsigned char)(forward->port >> 8) };
	struct channel *channel = session_channel(session, session, number);

	channel->owner = forward;
	channel->deaf = number % 2 == 1;
	channel_send(channel, port, sizeof port);
	return channel;
}

void port_forward(struct session *session, bool numbered)
{
	static const struct service service = { opened, on_reply, step, connected, forwards_free };
	struct forwards *forwards = xcalloc(1, sizeof *forwards);

	forwards->numbered = numbered;
	session->service = &service;
	session->service_data = forwards;
	for (unsigned i = 0; numbered && i < session->asked.port_count; i++) {
		struct forward *forward = new_forward(session, NULL, session->asked.ports[i]);

		forward->data = numbered_channel(session, 2 * i, forward);
		forward->errors = numbered_channel(session, 2 * i + 1, forward);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's connection: channels, each a flow of bytes between the client and a descriptor of
 * ours. The carrier (SPDY or WebSocket) says how a channel's bytes travel, the service (a command
 * or port forwarding) what they are for. Memory is bounded: what the client sends is read no
 * faster than the descriptors take it, and they no faster than the client reads.
 */
#pragma once
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "ocid-dispatch/stream_control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct channel {
	struct channel *next;
	struct session *session;
	void *carried;	 /* the carrier's; NULL when the client knows the channel no more */
	unsigned number; /* of a WebSocket's channel */
	void *owner;	 /* the service's */

	struct buffer in;  /* from the client, for in_fd */
	bool in_ended;	   /* the client has sent all of it */
	bool deaf;	   /* nobody takes what the client sends: it is dropped */
	bool finished;	   /* we have sent all */
	bool connecting;   /* the descriptors are a socket that is not connected yet */
	int in_fd, out_fd; /* -1: none yet, or closed; the same one for a socket */
	bool drain;	   /* nobody writes any more: what is there now is all */
};

struct carrier {
	int (*receive)(struct session *session, const void *data, size_t length, struct error *err);
	struct buffer *(*output)(struct session *session);
	size_t (*room)(const struct channel *channel); /* bytes that may be sent now */
	void (*send)(struct channel *channel, const void *data, size_t length);
	void (*finish)(struct channel *channel);
	void (*consumed)(struct channel *channel, size_t length);
	/* Take leave of the client. */
	void (*leave)(struct session *session);
	/* True when the client has taken leave. */
	bool (*left)(const struct session *session);
	void (*free)(struct session *session);
};

struct service {
	/* The client opens a channel by name/value pairs (SPDY alone). -1: refuse it. */
	int (*opened)(struct channel *channel, const struct strings *fields, struct error *err);
	/* A reply to what was asked of the other process. The descriptors become ours. */
	int (*reply)(struct session *session, const struct stream_reply *reply, const int *fds,
		     size_t count, struct error *err);
	/* After bytes have moved. -1 ends the connection. */
	int (*step)(struct session *session, struct error *err);
	/* A socket has connected, or `failure` is an errno. */
	int (*connected)(struct channel *channel, int failure, struct error *err);
	void (*free)(struct session *session);
};

struct session {
	int socket_fd, control_fd;
	struct stream_reply asked; /* what the client may have */
	unsigned version;	   /* of the stream protocol: v1 to v5 */
	const struct carrier *carrier;
	void *carrier_data;
	const struct service *service;
	void *service_data;
	struct channel *channels;
	int64_t deadline_ms; /* for the service's step, by clock_ms(); 0: none */
	bool ending;	     /* leave has been taken */
	bool over;
};

enum {
	SESSION_IDLE_MS = 4 * 60 * 60 * 1000, /* as kubelets have it */
	SESSION_CREATION_MS = 30 * 1000,      /* for the head, and for the channels of a command */
	SESSION_LEAVE_MS = 10 * 1000,	      /* for a client that has taken all to close */
};

/* Add a channel. */
struct channel *session_channel(struct session *session, void *carried, unsigned number);

/* Bytes from the client, for the carrier to hand over. */
void channel_receive(struct channel *channel, const void *data, size_t length);

/* Send from us, whatever the windows are: for short texts. */
void channel_send(struct channel *channel, const void *data, size_t length);

/* Nothing more will be sent. */
void channel_finish(struct channel *channel);

/* Drop what came in and what would; close what is open. */
void channel_drop(struct channel *channel);

/* Take what came in as the service's own, `length` bytes of channel->in. */
void channel_take(struct channel *channel, size_t length);

/* Close and free the channel; the carrier must know it no more. */
void session_remove(struct channel *channel);

/* Take leave of the client: what is queued is sent, then the connection ends. */
void session_leave(struct session *session);

/* Move bytes until the connection is over. */
int session_run(struct session *session, struct error *err);
void session_free(struct session *session);

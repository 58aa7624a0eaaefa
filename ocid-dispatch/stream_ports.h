/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of a pod, from within its network; those of the node for a pod in the node's. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct stream_ports {
	int netns_fd; /* -1: the node's own network */
	bool entered;
};

/* Note where the request's pod has its network: request.netns, as PortForward's handler put it
 * there; none for the node's. */
int stream_ports_open(struct stream_ports *ports, const json_t *request, struct error *err);

/* A socket that is connected to that port on 127.0.0.1 or ::1 in there, or is about to be. The
 * first one moves this process into that network, and drops all its privileges. */
int stream_ports_connect(struct stream_ports *ports, uint16_t port, bool ipv6, struct error *err);

void stream_ports_close(struct stream_ports *ports);

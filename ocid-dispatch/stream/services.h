/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection is for. */
#pragma once
#include "ocid-dispatch/stream/session.h"

/* A command in a container, or what is attached to one: channels for its standard streams, for the
 * sizes of the terminal, and for how it ended. With numbered channels they are all there from the
 * beginning; else the client opens them. */
void remote_command(struct session *session, bool numbered);

/* Connections to ports of a pod: a channel for data and one for errors each. With numbered channels
 * there is one for each of the ports that were asked for. */
void port_forward(struct session *session, bool numbered);

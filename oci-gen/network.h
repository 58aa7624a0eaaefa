/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the document's `network` asks of a container: to join the namespace that ctr-net made, and
 * to have /etc/hosts, /etc/hostname and /etc/resolv.conf that fit it. The three files are written
 * into the bundle and bound over those of the image; the container may change its copies, unless
 * its root is read-only.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* Join network.netns, and bind the files of the bundle, unless that is NULL. */
int network_apply(struct generation *g, const json_t *network, const char *bundle,
		  struct error *err);

/* Bind the three files of the bundle. */
void network_bind_files(struct generation *g, const char *bundle);

/* Of a container that may write nowhere they are read-only, too: they lie on the host's disk. */
void network_finish(struct generation *g);

/* Write them for a container of that name, and give them to its root. Without a network the
 * container has the host's, and its addresses; dns, a DNSConfig of CRI, goes over what the network
 * says; both may be NULL. */
int network_write_files(const struct generation *g, const char *hostname, const json_t *network,
			const json_t *dns, int bundle_fd, struct error *err);

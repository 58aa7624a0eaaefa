/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the document's `network` asks of a container: to join the namespace that ctr-net made, and
 * to have /etc/hosts, /etc/hostname and /etc/resolv.conf that fit it. The three files are written
 * into the bundle and bound over those of the image; the container may change its copies.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* Join network.netns; bind the three files of the bundle, unless it is NULL. */
int network_apply(struct generation *g, const json_t *network, const char *bundle,
		  struct error *err);

/* Write the three files for the finished configuration. */
int network_write_files(const json_t *config, const json_t *network, int bundle_fd,
			struct error *err);

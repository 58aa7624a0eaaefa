/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about the interfaces of a network namespace (rtnetlink, by libmnl). */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct mnl_socket;

/* A socket that speaks to one network namespace for as long as it lives, whichever namespace its
 * process is in later. Zero-initialised is closed. */
struct netlink {
	struct mnl_socket *socket;
	unsigned sequence;
};

/* Open it in the namespace that the process is in now. */
int netlink_open(struct netlink *netlink, struct error *err);
void netlink_close(struct netlink *netlink);
#define cleanup_netlink __attribute__((cleanup(netlink_close)))

/* Bring an interface up. */
int netlink_set_up(struct netlink *netlink, const char *ifname, struct error *err);

/* All interfaces, in the order of their index: [{index, name, kind?, mac?, mtu, state, flags:
 * ["UP",…], addresses: ["10.1.0.2/16",…]}]. The caller owns it. */
json_t *netlink_interfaces(struct netlink *netlink, struct error *err);

/* The routes but those of the "local" table, with the keys of a CNI result and the interface:
 * [{dst, gw?, dev?, src?, priority?, scope, table?, type?}]. The caller owns it. */
json_t *netlink_routes(struct netlink *netlink, struct error *err);

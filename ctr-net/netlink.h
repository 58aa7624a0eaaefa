/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about the interfaces of a network namespace (rtnetlink, by libmnl). */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct mnl_socket;
struct nlmsghdr;

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

/* Make an interface `name` whose other end is `peer`, both down. */
int netlink_add_veth(struct netlink *netlink, const char *name, const char *peer,
		     struct error *err);

/* Give an interface an address, as in "10.1.0.2/16". */
int netlink_add_address(struct netlink *netlink, const char *ifname, const char *address,
			struct error *err);

/* All interfaces, in the order of their index: as netlink_link_json() has them, with addresses:
 * ["10.1.0.2/16",…]. The caller owns it. */
json_t *netlink_interfaces(struct netlink *netlink, struct error *err);

/* All interfaces without their addresses. The caller owns it. */
json_t *netlink_links(struct netlink *netlink, struct error *err);

/* The routes of the tables but "local": [{dst, gw?, dev?, src?, priority?, scope, table?, type?}].
 * The caller owns it. */
json_t *netlink_routes(struct netlink *netlink, struct error *err);

/* Be told of every change of links, addresses and routes from now on. Nothing else can be asked
 * through the socket after it. */
int netlink_subscribe(struct netlink *netlink, struct error *err);

/* Read what has been told, which may be nothing, and give each message to `handle`. *lost: there
 * was more than the kernel keeps for us. */
int netlink_receive(struct netlink *netlink,
		    void (*handle)(const struct nlmsghdr *message, void *context), void *context,
		    bool *lost, struct error *err);

/* For poll(2). */
int netlink_fd(const struct netlink *netlink);

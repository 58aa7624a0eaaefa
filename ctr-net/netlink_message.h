/* SPDX-License-Identifier: Apache-2.0 */
/* One rtnetlink message, with which the kernel tells of an interface, an address or a route, as
 * JSON. The caller owns what is returned; NULL for what is none of our business. */
#pragma once
#include <jansson.h>

struct nlmsghdr;

/* {index, name, kind?, mac?, mtu, state, flags: ["UP",…], statistics: {rxBytes, …}} */
json_t *netlink_link_json(const struct nlmsghdr *message);

/* {address: "10.1.0.2/16", index: of its interface} */
json_t *netlink_address_json(const struct nlmsghdr *message);

/* {dst, gw?, index?: of its interface, src?, priority?, scope, table?, type?}: any but those of the
 * table "local". */
json_t *netlink_route_json(const struct nlmsghdr *message);

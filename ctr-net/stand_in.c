/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/stand_in.h"

#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "ctr-net/ns_make.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#include <string.h>

/* Any name but that of the interface. */
static const char *peer_of(const char *ifname)
{
	return strcmp(ifname, "peer") == 0 ? "other" : "peer";
}

int stand_in_make(const char *ifname, const json_t *result, struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	cleanup_fd int fd = ns_make_loose(err);
	const json_t *ip;
	size_t i;

	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0 ||
	    netlink_add_veth(&netlink, ifname, peer_of(ifname), err) < 0)
		return -1;
	json_array_foreach (json_object_get(result, "ips"), i, ip) {
		if (netlink_add_address(&netlink, ifname, json_text(ip, "address", ""), err) < 0)
			return -1;
	}
	return steal_fd(&fd);
}

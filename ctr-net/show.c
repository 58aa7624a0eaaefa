/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "lib/cleanup.h"
#include "lib/output.h"

static int show(const struct cli *cli, struct error *err)
{
	cleanup_free char *runroot = ns_runroot(cli);
	cleanup_free char *path = ns_path(runroot, cli->operands[0], err);
	cleanup_netlink struct netlink netlink = { 0 };

	cleanup_fd int fd = path ? ns_open(path, err) : -1;
	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0)
		return -1;

	json_auto_t *interfaces = netlink_interfaces(&netlink, err);
	json_auto_t *routes = interfaces ? netlink_routes(&netlink, err) : NULL;
	if (!routes)
		return -1;

	json_auto_t *shown = json_pack("{s:s, s:O, s:O}", "netns", path, "interfaces", interfaces,
				       "routes", routes);
	return output_object(cli, shown, err);
}

const struct cli_command show_command = {
	.name = "show",
	.operands = "NETNS",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "show interfaces, addresses and routes of a namespace",
	.details = "NETNS is the name of a pinned namespace, or a path (with a slash) to any.",
	.run = show,
};

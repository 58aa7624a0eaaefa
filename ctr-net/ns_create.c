/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "netlink.h"
#include "ns.h"
#include "options.h"
#include "record.h"

#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/random.h"
#include "lib/store.h"

/* The namespace with the interfaces that it has now, as the kernel tells them. */
static json_t *describe(const char *name, const char *path, struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	cleanup_fd int fd = ns_open(path, err);

	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0)
		return NULL;

	json_t *interfaces = netlink_interfaces(&netlink, err);
	return interfaces ? json_pack("{s:s, s:s, s:o}", "name", name, "netns", path, "interfaces",
				      interfaces)
			  : NULL;
}

static int ns_create(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_record struct record record = { 0 };
	char random[RANDOM_ID_SIZE];
	const char *name = cli->operands[0];
	struct error ignored;

	if (!name) {
		random_id(random);
		name = random;
	}
	if (options_check_id(name, err) < 0)
		return error_prefix(err, "name of a namespace");
	/* the record's lock: `add` may be making the namespace of a container with that id */
	if (store_open(cli, &store, err) < 0 || record_open(&store, name, &record, err) < 0)
		return -1;
	if (record.owns_netns) {
		error_set(err, ERROR_EXISTS, "\"%s\" is a container that add has connected", name);
		error_subject(err, name);
		return error_hint(err, "ctr-net del --id %s takes it off", name);
	}
	if (ns_pin(store.runroot, name, err) < 0)
		return -1;

	cleanup_free char *path = ns_path(store.runroot, name, err);
	json_auto_t *created = path ? describe(name, path, err) : NULL;
	if (created && output_object(cli, created, err) == 0)
		return 0;
	ns_unpin(store.runroot, name, &ignored);
	return -1;
}

const struct cli_command ns_create_command = {
	.name = "ns create",
	.operands = "[NAME]",
	.operands_max = 1,
	.summary = "make and pin a network namespace whose loopback is up",
	.details = "Without NAME it gets a random one. It stays until ns rm, without any process.",
	.run = ns_create,
};

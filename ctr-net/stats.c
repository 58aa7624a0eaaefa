/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"

#include <string.h>

/* As CRI's NetworkInterfaceUsage has it; NULL for loopback, which moves nothing. */
static json_t *usage_of(const json_t *interface)
{
	static const char *const keys[] = { "rxBytes", "rxErrors", "txBytes", "txErrors" };
	const json_t *statistics = json_object_get(interface, "statistics");
	json_t *usage;

	if (!statistics || strcmp(json_text(interface, "name", ""), "lo") == 0)
		return NULL;
	usage = json_pack("{s:O}", "name", json_object_get(interface, "name"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		json_object_set_new(
			usage, keys[i],
			json_pack("{s:O}", "value", json_object_get(statistics, keys[i])));
	return usage;
}

static json_t *stats_of(const char *runroot, const char *name, struct error *err)
{
	cleanup_free char *path = ns_path(runroot, name, err);
	cleanup_netlink struct netlink netlink = { 0 };
	json_auto_t *usages = json_array();
	const json_t *interface;
	size_t i;

	cleanup_fd int fd = path ? ns_open(path, err) : -1;
	if (fd < 0 || ns_netlink(fd, &netlink, err) < 0)
		return NULL;

	json_auto_t *links = netlink_links(&netlink, err);
	if (!links)
		return NULL;
	json_array_foreach (links, i, interface) {
		json_t *usage = usage_of(interface);

		if (usage)
			json_array_append_new(usages, usage);
	}
	return json_pack("{s:s, s:I, s:O}", "netns", path, "timestamp", clock_wall_ns(),
			 "interfaces", usages);
}

/* The namespaces asked for, by default all pinned ones. */
static int choose(const struct cli *cli, const char *runroot, struct strings *names,
		  struct error *err)
{
	for (int i = 0; i < cli->operand_count; i++)
		strings_add(names, cli->operands[i]);
	if (cli->operand_count > 0)
		return 0;

	json_auto_t *pins = pin_list(runroot, err);
	const json_t *pin;
	size_t i;
	if (!pins)
		return -1;
	json_array_foreach (pins, i, pin) {
		const char *path = json_text(pin, pin_key(PIN_NET), NULL);

		if (path)
			strings_add(names, path);
	}
	return 0;
}

/* For people a line for each interface. */
static json_t *flatten(const json_t *rows)
{
	json_t *flat = json_array(), *line, *value;
	const json_t *row, *usage;
	const char *key;
	size_t i, n;

	json_array_foreach (rows, i, row) {
		json_array_foreach (json_object_get(row, "interfaces"), n, usage) {
			line = json_pack("{s:O}", "netns", json_object_get(row, "netns"));
			json_object_foreach ((json_t *)usage, key, value) {
				json_t *number = json_object_get(value, "value");

				json_object_set(line, key, number ? number : value);
			}
			json_array_append_new(flat, line);
		}
	}
	return flat;
}

static int print(const struct cli *cli, json_t *rows, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NETNS", "netns", COLUMN_TEXT },
		{ "INTERFACE", "name", COLUMN_TEXT },
		{ "RECEIVED", "rxBytes", COLUMN_SIZE },
		{ "ERRORS", "rxErrors", COLUMN_TEXT },
		{ "SENT", "txBytes", COLUMN_SIZE },
		{ "ERRORS", "txErrors", COLUMN_TEXT },
		{ NULL, NULL, COLUMN_TEXT },
	};
	json_auto_t *lines = output_is_for_people(cli) ? flatten(rows) : json_incref(rows);

	return output_list(cli, lines, columns, err);
}

/* A namespace that goes meanwhile does not keep the others from being told of. */
static int stats(const struct cli *cli, struct error *err)
{
	cleanup_free char *runroot = ns_runroot(cli);
	cleanup_strings struct strings names = { 0 };
	json_auto_t *rows = json_array();
	struct error failure;
	bool failed = false;

	if (choose(cli, runroot, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct error this_one;
		json_t *row = stats_of(runroot, names.items[i], &this_one);

		if (row) {
			json_array_append_new(rows, row);
			continue;
		}
		/* nobody has named it, and it went, or its mount did, after it was listed */
		if (cli->operand_count == 0 &&
		    (this_one.kind == ERROR_NOT_FOUND || this_one.kind == ERROR_USAGE))
			continue;
		if (failed)
			log_message(LOG_LEVEL_WARN, "%s", this_one.message);
		else
			failure = this_one;
		failed = true;
	}
	if (print(cli, rows, err) < 0)
		return -1;
	if (failed)
		*err = failure;
	return failed ? -1 : 0;
}

const struct cli_command stats_command = {
	.name = "stats",
	.operands = "[NETNS...]",
	.operands_max = -1,
	.summary = "show traffic statistics of namespaces",
	.details =
		"Prints a line for each namespace, by default for all pinned ones, with bytes and\n"
		"errors of every interface except loopback. NETNS is a name or a path, as for\n"
		"show.",
	.run = stats,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/commands.h"
#include "ctr-net/netlink.h"
#include "ctr-net/netlink_message.h"
#include "ctr-net/ns.h"
#include "ctr-net/pin.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/timestamp.h"
#include "lib/watch.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct monitor_settings {
	bool past;
};

struct monitor {
	int ns_fd;
	struct netlink changes;
	json_t *links; /* by index as text: as they were last told of */
	bool failed;   /* err tells how */
	struct error *err;
};

static void monitor_free(struct monitor *monitor)
{
	netlink_close(&monitor->changes);
	cleanup_fd_p(&monitor->ns_fd);
	json_decref(monitor->links);
}
#define cleanup_monitor __attribute__((cleanup(monitor_free)))

/* Print {change, [KIND: object], time} as a line at once. Consumes the object, which may be NULL.
 */
static void print(struct monitor *monitor, const char *change, const char *kind, json_t *object)
{
	char time[TIMESTAMP_SIZE];

	timestamp_now(time);
	json_auto_t *line = json_pack("{s:s, s:s}", "change", change, "time", time);
	if (object)
		json_object_set_new(line, kind, object);

	cleanup_free char *text = json_compact(line);
	if (monitor->failed || (puts(text) >= 0 && fflush(stdout) == 0))
		return;
	error_os(monitor->err, "standard output");
	monitor->failed = true;
}

/* ---- what is told of ---- */

/* The name of the interface in place of its number, under `key`. */
static void name_interface(const struct monitor *monitor, json_t *object, const char *key)
{
	json_int_t index = json_integer_value(json_object_get(object, "index"));
	cleanup_free char *number = xasprintf("%lld", (long long)index);

	json_object_set(object, key,
			json_object_get(json_object_get(monitor->links, number), "name"));
	json_object_del(object, "index");
}

/* Counters change all the time, and the kernel repeats itself. Consumes the link. */
static void tell_link(struct monitor *monitor, bool removed, json_t *link)
{
	json_int_t index = json_integer_value(json_object_get(link, "index"));
	cleanup_free char *number = xasprintf("%lld", (long long)index);

	json_object_del(link, "statistics");
	if (removed) {
		json_object_del(monitor->links, number);
	} else if (json_equal(json_object_get(monitor->links, number), link)) {
		json_decref(link);
		return;
	} else {
		json_object_set_new(monitor->links, number, json_copy(link));
	}
	print(monitor, removed ? "removed" : "set", "link", link);
}

static void tell(const struct nlmsghdr *message, void *context)
{
	struct monitor *monitor = context;
	bool removed = message->nlmsg_type == RTM_DELLINK || message->nlmsg_type == RTM_DELADDR ||
		       message->nlmsg_type == RTM_DELROUTE;
	const char *change = removed ? "removed" : "set";
	json_t *object = NULL;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		object = netlink_link_json(message);
		if (object)
			tell_link(monitor, removed, object);
		return;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		object = netlink_address_json(message);
		name_interface(monitor, object, "ifname");
		if (object)
			print(monitor, change, "address", object);
		return;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		object = netlink_route_json(message);
		name_interface(monitor, object, "dev");
		if (object)
			print(monitor, change, "route", object);
		return;
	default:
		return;
	}
}

/* ---- what is there already ---- */

static void print_interface(struct monitor *monitor, json_t *interface)
{
	json_auto_t *addresses = json_incref(json_object_get(interface, "addresses"));
	json_t *address;
	size_t i;

	json_object_del(interface, "addresses");
	tell_link(monitor, false, json_incref(interface));
	json_array_foreach (addresses, i, address) {
		print(monitor, "set", "address",
		      json_pack("{s:O, s:O}", "address", address, "ifname",
				json_object_get(interface, "name")));
	}
}

/* Learn the names of the interfaces, or tell of all there is. */
static int look(struct monitor *monitor, bool print_it, struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	json_t *object;
	size_t i;

	json_object_clear(monitor->links);
	if (ns_netlink(monitor->ns_fd, &netlink, err) < 0)
		return -1;

	json_auto_t *interfaces = netlink_interfaces(&netlink, err);
	json_auto_t *routes = interfaces ? netlink_routes(&netlink, err) : NULL;
	if (!routes)
		return -1;
	json_array_foreach (interfaces, i, object) {
		json_int_t index = json_integer_value(json_object_get(object, "index"));
		cleanup_free char *number = xasprintf("%lld", (long long)index);

		if (print_it) {
			print_interface(monitor, object);
			continue;
		}
		json_object_del(object, "statistics");
		json_object_del(object, "addresses");
		json_object_set(monitor->links, number, object);
	}
	json_array_foreach (routes, i, object) {
		if (print_it)
			print(monitor, "set", "route", json_incref(object));
	}
	return 0;
}

/* ---- waiting ---- */

/* Watch the pin of the name go: our socket would keep its namespace alive for ever. */
static int watch_pin(const char *runroot, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", runroot, pin_key(PIN_NET));
	cleanup_fd int fd = watch_open(IN_CLOEXEC | IN_NONBLOCK, err);

	if (fd < 0 || watch_add(fd, path, IN_DELETE, err) < 0)
		return -1;
	int there = pin_exists(runroot, PIN_NET, name, err);
	if (there == 0)
		error_set(err, ERROR_NOT_FOUND, "no network namespace \"%s\"", name);
	return there > 0 ? steal_fd(&fd) : -1;
}

static bool pin_is_gone(int inotify_fd, const char *name)
{
	_Alignas(struct inotify_event) char buffer[sizeof(struct inotify_event) + NAME_MAX + 1];
	ssize_t got;

	while ((got = read(inotify_fd, buffer, sizeof buffer)) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;

			if (event->len > 0 && strcmp(event->name, name) == 0)
				return true;
			at += sizeof *event + event->len;
		}
	return false;
}

static int follow(struct monitor *monitor, const char *name, int pin_fd, struct error *err)
{
	struct pollfd wait[] = {
		{ .fd = netlink_fd(&monitor->changes), .events = POLLIN },
		{ .fd = pin_fd, .events = POLLIN },
		/* an error is all that can happen: nobody reads any more */
		{ .fd = STDOUT_FILENO },
	};

	while (!monitor->failed) {
		bool lost;

		if (cli_interrupted())
			return cli_fail_interrupted(err);
		if (cli_poll(wait, sizeof wait / sizeof *wait, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_os(err, "poll");
		}
		if (netlink_receive(&monitor->changes, tell, monitor, &lost, err) < 0)
			return -1;
		if (lost) {
			print(monitor, "lost", NULL, NULL);
			if (look(monitor, true, err) < 0)
				return -1;
		}
		if ((name && wait[1].revents && pin_is_gone(pin_fd, name)) || wait[2].revents)
			return 0;
	}
	return -1;
}

static int monitor(const struct cli *cli, struct error *err)
{
	const struct monitor_settings *settings = cli->settings;
	const char *name = cli->operands[0];
	cleanup_free char *runroot = ns_runroot(cli);
	cleanup_free char *path = ns_path(runroot, name ? name : "/proc/self/ns/net", err);
	cleanup_monitor struct monitor state = { .ns_fd = -1, .links = json_object(), .err = err };
	cleanup_fd int pin_fd = -1;

	if (!path)
		return -1;
	state.ns_fd = ns_open(path, err);
	if (state.ns_fd < 0)
		return -1;
	if (name && !strchr(name, '/') && (pin_fd = watch_pin(runroot, name, err)) < 0)
		return -1;
	/* first this, so that nothing falls between what is there and what changes */
	if (ns_netlink(state.ns_fd, &state.changes, err) < 0 ||
	    netlink_subscribe(&state.changes, err) < 0 || look(&state, settings->past, err) < 0)
		return -1;
	return follow(&state, name, pin_fd, err);
}

static const struct cli_option options[] = {
	{ "past", 0, NULL, OPTION_FLAG, offsetof(struct monitor_settings, past),
	  "print everything that exists first" },
	{ 0 },
};

const struct cli_command monitor_command = {
	.name = "monitor",
	.operands = "[NETNS]",
	.operands_max = 1,
	.summary = "print every change of links, addresses and routes",
	.details = "Prints a line of JSON for each change until interrupted, or until the pinned\n"
		   "namespace is removed. By default it watches the current network namespace.",
	.options = options,
	.settings_size = sizeof(struct monitor_settings),
	.run = monitor,
};

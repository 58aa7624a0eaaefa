/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_files.h"
#include "ctr-net/commands.h"
#include "ctr-net/netlink.h"
#include "ctr-net/options.h"
#include "ctr-net/subnet.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

/* Spoken by the plugins in use for years; 1.1.0 is not yet. */
#define INIT_VERSION "1.0.0"

enum { SUBNETS_MAX = 2 }; /* one of IPv4, one of IPv6 */

struct init_settings {
	struct strings subnets, gateways, ranges;
	const char *name, *bridge, *master, *conf_dir;
};

/* The subnets, each with the range of host-local that is made of it. */
struct addressing {
	struct subnet subnets[SUBNETS_MAX];
	size_t count;
	json_t *ranges; /* borrowed: [{subnet, …}] */
};

static int add_subnet(struct addressing *addressing, const char *text, struct error *err)
{
	struct subnet subnet;

	if (subnet_parse(text, &subnet, err) < 0)
		return -1;
	for (size_t i = 0; i < addressing->count; i++)
		if (addressing->subnets[i].network.family == subnet.network.family)
			return error_set(
				err, ERROR_USAGE,
				"subnet %s: one of IPv4 and one of IPv6 is what there can be",
				text);
	addressing->subnets[addressing->count++] = subnet;
	json_array_append_new(addressing->ranges, json_pack("{s:s}", "subnet", text));
	return 0;
}

/* The range whose subnet holds the address; borrowed. */
static json_t *find_range(const struct addressing *addressing, const char *text,
			  struct address *address, struct error *err)
{
	if (address_parse(text, address, err) < 0)
		return NULL;
	for (size_t i = 0; i < addressing->count; i++)
		if (subnet_holds(&addressing->subnets[i], address))
			return json_array_get(addressing->ranges, i);
	error_set(err, ERROR_USAGE, "address %s is not one for a host of the subnet", text);
	return NULL;
}

static int set_once(json_t *range, const char *key, const char *value, struct error *err)
{
	if (json_object_get(range, key))
		return error_set(err, ERROR_USAGE, "%s is given twice for subnet %s", key,
				 json_text(range, "subnet", ""));
	json_object_set_new(range, key, json_string(value));
	return 0;
}

static int add_gateway(struct addressing *addressing, const char *text, struct error *err)
{
	struct address address;
	json_t *range = find_range(addressing, text, &address, err);

	return range ? set_once(range, "gateway", text, err) : -1;
}

/* FIRST-LAST */
static int add_range(struct addressing *addressing, const char *text, struct error *err)
{
	const char *dash = strchr(text, '-');
	cleanup_free char *first = dash ? xstrndup(text, (size_t)(dash - text)) : NULL;
	struct address from, to;

	if (!first)
		return error_set(err, ERROR_USAGE, "range %s is not FIRST-LAST", text);

	json_t *range = find_range(addressing, first, &from, err);
	json_t *other = range ? find_range(addressing, dash + 1, &to, err) : NULL;
	if (!other)
		return error_prefix(err, "range %s", text);
	if (range != other || memcmp(from.bytes, to.bytes, from.size) > 0)
		return error_set(err, ERROR_USAGE, "range %s does not go upwards in one subnet",
				 text);
	if (set_once(range, "rangeStart", first, err) < 0)
		return -1;
	return set_once(range, "rangeEnd", dash + 1, err);
}

/* The configuration of host-local; the caller owns it. */
static json_t *make_ipam(const struct init_settings *settings, struct error *err)
{
	json_auto_t *ranges = json_array(), *sets = json_array(), *routes = json_array();
	struct addressing addressing = { .ranges = ranges };

	for (size_t i = 0; i < settings->subnets.count; i++)
		if (add_subnet(&addressing, settings->subnets.items[i], err) < 0)
			return NULL;
	for (size_t i = 0; i < settings->gateways.count; i++)
		if (add_gateway(&addressing, settings->gateways.items[i], err) < 0)
			return NULL;
	for (size_t i = 0; i < settings->ranges.count; i++)
		if (add_range(&addressing, settings->ranges.items[i], err) < 0)
			return NULL;
	for (size_t i = 0; i < addressing.count; i++) {
		bool v6 = addressing.subnets[i].network.family == AF_INET6;

		json_array_append_new(sets, json_pack("[O]", json_array_get(ranges, i)));
		json_array_append_new(routes, json_pack("{s:s}", "dst", v6 ? "::/0" : "0.0.0.0/0"));
	}
	return json_pack("{s:s, s:O, s:O}", "type", "host-local", "ranges", sets, "routes", routes);
}

/* The plugin that makes the interface; takes a reference of its own to ipam. */
static json_t *make_plugin(const char *type, const char *name, const struct init_settings *settings,
			   json_t *ipam)
{
	if (strcmp(type, "bridge") == 0)
		return json_pack("{s:s, s:s, s:b, s:b, s:b, s:O}", "type", type, "bridge",
				 settings->bridge ? settings->bridge : name, "isGateway", 1,
				 "ipMasq", 1, "hairpinMode", 1, "ipam", ipam);
	if (strcmp(type, "ptp") == 0)
		return json_pack("{s:s, s:b, s:O}", "type", type, "ipMasq", 1, "ipam", ipam);
	return json_pack("{s:s, s:s, s:O}", "type", type, "master", settings->master, "ipam", ipam);
}

/* Whether the containers share an interface of the host's. */
static bool is_shared(const char *type)
{
	return strcmp(type, "macvlan") == 0 || strcmp(type, "ipvlan") == 0;
}

static json_t *make_config(const char *type, const char *name, const struct init_settings *settings,
			   struct error *err)
{
	json_auto_t *ipam = make_ipam(settings, err);

	if (!ipam)
		return NULL;

	json_t *config = json_pack("{s:s, s:s, s:[o]}", "cniVersion", INIT_VERSION, "name", name,
				   "plugins", make_plugin(type, name, settings, ipam));
	/* traffic to a shared interface does not pass the host's firewall */
	if (!is_shared(type))
		json_array_append_new(json_object_get(config, "plugins"),
				      json_pack("{s:s, s:{s:b}}", "type", "portmap", "capabilities",
						"portMappings", 1));
	return config;
}

static int check_settings(const struct cli *cli, const char *type, const char *name,
			  struct error *err)
{
	const struct init_settings *settings = cli->settings;
	bool is_bridge = strcmp(type, "bridge") == 0;

	if (!is_bridge && !is_shared(type) && strcmp(type, "ptp") != 0)
		return cli_usage(cli, err,
				 "no kind of network \"%s\": bridge, ptp, macvlan or ipvlan", type);
	json_auto_t *text = json_string(settings->conf_dir);
	if (!text)
		return error_set(err, ERROR_USAGE, "the path of --conf-dir is not UTF-8 text");
	/* `add --network none` connects to no network */
	if (!path_is_id(name) || strcmp(name, "none") == 0)
		return error_set(err, ERROR_USAGE, "\"%s\" cannot be the name of a network", name);
	if (settings->subnets.count == 0)
		return cli_usage(cli, err, "missing --subnet");
	if (!is_bridge && settings->bridge)
		return cli_usage(cli, err, "--bridge goes with bridge");
	if (is_shared(type) != (settings->master != NULL))
		return settings->master
			       ? cli_usage(cli, err, "--master goes with macvlan and ipvlan")
			       : cli_usage(cli, err, "%s needs --master, an interface of the host",
					   type);
	if (is_shared(type))
		return options_check_ifname(settings->master, err);
	if (is_bridge && options_check_ifname(settings->bridge ? settings->bridge : name, err) < 0)
		return error_hint(err, "name the bridge with --bridge");
	return 0;
}

/* The routes of two bridges with the same addresses lead to one of them. Of `other` with that name,
 * "network" or "interface", the subnet `theirs`, as it is written, is looked at. */
static int check_apart(const struct init_settings *settings, const char *other, const char *name,
		       const char *theirs, struct error *err)
{
	struct error ignored;
	struct subnet one, two;

	if (!theirs || subnet_parse_address(theirs, &two, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < settings->subnets.count; i++)
		if (subnet_parse(settings->subnets.items[i], &one, &ignored) == 0 &&
		    subnets_overlap(&one, &two)) {
			error_set(err, ERROR_EXISTS, "subnet %s overlaps %s of %s %s",
				  settings->subnets.items[i], theirs, other, name);
			return error_hint(err, "take another, see %s",
					  strcmp(other, "network") == 0 ? "ctr-net list"
									: "ip address");
		}
	return 0;
}

/* The same for all subnets that host-local has in that configuration. */
static int check_apart_from(const struct init_settings *settings, const json_t *config,
			    struct error *err)
{
	const char *name = json_text(config, "name", "?");
	const json_t *plugin = json_array_get(json_object_get(config, "plugins"), 0), *set, *range;
	const json_t *ipam = json_object_get(plugin, "ipam");
	size_t i, j;

	if (is_shared(json_text(plugin, "type", "")))
		return 0;
	if (check_apart(settings, "network", name, json_text(ipam, "subnet", NULL), err) < 0)
		return -1;
	json_array_foreach (json_object_get(ipam, "ranges"), i, set) {
		json_array_foreach (set, j, range) {
			if (check_apart(settings, "network", name, json_text(range, "subnet", NULL),
					err) < 0)
				return -1;
		}
	}
	return 0;
}

/* The same for the addresses of the host, but for those of a bridge that is the network's. */
static int check_apart_from_host(const struct init_settings *settings, const char *bridge,
				 struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };
	json_auto_t *interfaces =
		netlink_open(&netlink, err) < 0 ? NULL : netlink_interfaces(&netlink, err);
	const json_t *interface, *address;
	size_t i, j;

	if (!interfaces)
		return -1;
	json_array_foreach (interfaces, i, interface) {
		const char *name = json_text(interface, "name", "");

		if (bridge && strcmp(name, bridge) == 0)
			continue;
		json_array_foreach (json_object_get(interface, "addresses"), j, address) {
			if (check_apart(settings, "interface", name, json_string_value(address),
					err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Against the networks and the interfaces that are there. */
static int check_new(const struct init_settings *settings, const char *type, const char *name,
		     struct error *err)
{
	cleanup_strings struct strings dirs = { 0 };
	const json_t *config;
	size_t i;

	strings_add(&dirs, settings->conf_dir);
	json_auto_t *all = cni_files_all(&dirs, err);
	if (!all)
		return -1;
	json_array_foreach (all, i, config) {
		if (strcmp(json_text(config, "name", ""), name) == 0) {
			error_set(err, ERROR_EXISTS, "there is a network \"%s\" in %s", name,
				  settings->conf_dir);
			return error_subject(err, name);
		}
		if (!is_shared(type) && check_apart_from(settings, config, err) < 0)
			return -1;
	}
	if (is_shared(type))
		return 0;
	const char *bridge = settings->bridge ? settings->bridge : name;
	return check_apart_from_host(settings, strcmp(type, "bridge") == 0 ? bridge : NULL, err);
}

/* Keep other `init` away between the look at what there is and the writing, for as long as the
 * descriptor is open. flock(2), since a directory can be opened only for reading. */
static int be_alone(const char *conf_dir, struct error *err)
{
	cleanup_fd int fd = open(conf_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_os(err, "%s", conf_dir);
	return steal_fd(&fd);
}

static int init(const struct cli *cli, struct error *err)
{
	const struct init_settings *settings = cli->settings;
	const char *type = cli->operands[0];
	const char *name = settings->name ? settings->name : type;

	if (check_settings(cli, type, name, err) < 0)
		return -1;

	json_auto_t *config = make_config(type, name, settings, err);
	if (!config || path_make_dirs(settings->conf_dir, 0755, err) < 0)
		return -1;
	cleanup_fd int alone = be_alone(settings->conf_dir, err);
	if (alone < 0 || check_new(settings, type, name, err) < 0)
		return -1;

	cleanup_free char *dumped = json_dumps(config, JSON_INDENT(2));
	cleanup_free char *text = xasprintf("%s\n", dumped);
	cleanup_free char *path = xasprintf("%s/%s.conflist", settings->conf_dir, name);
	if (file_create_at(AT_FDCWD, path, text, strlen(text), 0644, err) < 0)
		return -1;

	json_auto_t *made =
		json_pack("{s:s, s:s, s:O}", "name", name, "file", path, "config", config);
	return output_object(cli, made, err);
}

static const struct cli_option options[] = {
	{ "subnet", 0, "SUBNET", OPTION_LIST, offsetof(struct init_settings, subnets),
	  "address range, 10.90.0.0/16; repeat for IPv6" },
	{ "name", 0, "NAME", OPTION_STRING, offsetof(struct init_settings, name),
	  "name of the network (default: its type)" },
	{ "gateway", 0, "ADDRESS", OPTION_LIST, offsetof(struct init_settings, gateways),
	  "gateway address (default: the first of the subnet)" },
	{ "range", 0, "FIRST-LAST", OPTION_LIST, offsetof(struct init_settings, ranges),
	  "addresses to assign (default: all of the subnet)" },
	{ "bridge", 0, "IFNAME", OPTION_STRING, offsetof(struct init_settings, bridge),
	  "with bridge: name of the bridge (default: the network's name)" },
	{ "master", 0, "IFNAME", OPTION_STRING, offsetof(struct init_settings, master),
	  "with macvlan and ipvlan: the host interface to share" },
	{ "conf-dir", 0, "DIR", OPTION_STRING, offsetof(struct init_settings, conf_dir),
	  "directory of network configurations (default " CNI_CONF_DIR_DEFAULT ")" },
	{ 0 },
};

static const struct init_settings defaults = { .conf_dir = CNI_CONF_DIR_DEFAULT };

const struct cli_command init_command = {
	.name = "init",
	.operands = "bridge|ptp|macvlan|ipvlan",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "create the configuration of a network",
	.details = "bridge connects containers through a bridge, ptp links each one to the host;\n"
		   "macvlan and ipvlan share an interface of the host. Fails if a network of that\n"
		   "name exists, or, for bridge and ptp, if the addresses overlap with those of\n"
		   "another network or of the host.",
	.options = options,
	.settings_size = sizeof(struct init_settings),
	.defaults = &defaults,
	.run = init,
};

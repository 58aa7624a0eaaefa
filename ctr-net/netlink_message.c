/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/netlink_message.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTE_MAX = 64 };

/* Attributes by type; those that we do not know the number of are left out. */
struct attributes {
	const struct nlattr *by_type[ATTRIBUTE_MAX];
};

static int note_attribute(const struct nlattr *attribute, void *context)
{
	struct attributes *attributes = context;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < ATTRIBUTE_MAX)
		attributes->by_type[type] = attribute;
	return MNL_CB_OK;
}

static const char *const flag_names[] = {
	"UP",	     "BROADCAST", "DEBUG",     "LOOPBACK", "POINTOPOINT", "NOTRAILERS",
	"RUNNING",   "NOARP",	  "PROMISC",   "ALLMULTI", "MASTER",	  "SLAVE",
	"MULTICAST", "PORTSEL",	  "AUTOMEDIA", "DYNAMIC",  "LOWER_UP",
};

static json_t *flags_json(unsigned flags)
{
	json_t *names = json_array();

	for (unsigned i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
		if (flags & (1U << i))
			json_array_append_new(names, json_string(flag_names[i]));
	return names;
}

/* IFLA_OPERSTATE, RFC 2863 */
static const char *state_name(const struct nlattr *state)
{
	static const char *const names[] = { "unknown", "notpresent", "down", "lowerlayerdown",
					     "testing", "dormant",    "up" };
	uint8_t number = state ? mnl_attr_get_u8(state) : 0;

	return names[number < sizeof names / sizeof *names ? number : 0];
}

static void set_mac(json_t *interface, const struct nlattr *address)
{
	const unsigned char *b = mnl_attr_get_payload(address);

	if (mnl_attr_get_payload_len(address) != 6)
		return;
	cleanup_free char *mac =
		xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	json_object_set_new(interface, "mac", json_string(mac));
}

static void set_kind(json_t *interface, const struct nlattr *info)
{
	struct attributes nested = { { NULL } };

	mnl_attr_parse_nested(info, note_attribute, &nested);
	if (nested.by_type[IFLA_INFO_KIND])
		json_object_set_new(interface, "kind",
				    json_string(mnl_attr_get_str(nested.by_type[IFLA_INFO_KIND])));
}

static void set_statistics(json_t *interface, const struct nlattr *attribute)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t length = mnl_attr_get_payload_len(attribute);

	/* later kernels append fields, earlier ones have fewer */
	memcpy(&stats, mnl_attr_get_payload(attribute),
	       length < sizeof stats ? length : sizeof stats);
	json_object_set_new(
		interface, "statistics",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rxBytes",
			  (json_int_t)stats.rx_bytes, "rxPackets", (json_int_t)stats.rx_packets,
			  "rxErrors", (json_int_t)stats.rx_errors, "rxDropped",
			  (json_int_t)stats.rx_dropped, "txBytes", (json_int_t)stats.tx_bytes,
			  "txPackets", (json_int_t)stats.tx_packets, "txErrors",
			  (json_int_t)stats.tx_errors, "txDropped", (json_int_t)stats.tx_dropped));
}

/* A name from the kernel, which takes any bytes for one; a container may have chosen it. */
static json_t *name_json(const char *name)
{
	json_t *text = json_string(name);

	if (text)
		return text;
	cleanup_free char *readable = xstrdup(name);
	for (char *c = readable; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(readable);
}

json_t *netlink_link_json(const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct attributes attributes = { { NULL } };
	const struct nlattr *const *by = attributes.by_type;

	mnl_attr_parse(message, sizeof *link, note_attribute, &attributes);
	/* a bridge's port also tells of itself as such */
	if (!by[IFLA_IFNAME] || link->ifi_family != AF_UNSPEC)
		return NULL;

	json_t *interface =
		json_pack("{s:i, s:o, s:s, s:o}", "index", link->ifi_index, "name",
			  name_json(mnl_attr_get_str(by[IFLA_IFNAME])), "state",
			  state_name(by[IFLA_OPERSTATE]), "flags", flags_json(link->ifi_flags));
	if (by[IFLA_MTU])
		json_object_set_new(interface, "mtu", json_integer(mnl_attr_get_u32(by[IFLA_MTU])));
	if (by[IFLA_ADDRESS])
		set_mac(interface, by[IFLA_ADDRESS]);
	if (by[IFLA_LINKINFO])
		set_kind(interface, by[IFLA_LINKINFO]);
	if (by[IFLA_STATS64])
		set_statistics(interface, by[IFLA_STATS64]);
	return interface;
}

/* An address attribute as text, with "/prefix" unless prefix is -1; the caller frees it. */
static char *address_text(int family, const struct nlattr *address, int prefix)
{
	size_t length = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	char text[INET6_ADDRSTRLEN];

	if (mnl_attr_get_payload_len(address) != length ||
	    !inet_ntop(family, mnl_attr_get_payload(address), text, sizeof text))
		return NULL;
	return prefix < 0 ? xstrdup(text) : xasprintf("%s/%d", text, prefix);
}

json_t *netlink_address_json(const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = { { NULL } };

	mnl_attr_parse(message, sizeof *header, note_attribute, &attributes);

	/* on a point-to-point link IFA_ADDRESS is the other end's */
	const struct nlattr *address = attributes.by_type[IFA_LOCAL]
					       ? attributes.by_type[IFA_LOCAL]
					       : attributes.by_type[IFA_ADDRESS];
	cleanup_free char *text =
		address ? address_text(header->ifa_family, address, header->ifa_prefixlen) : NULL;
	return text ? json_pack("{s:s, s:I}", "address", text, "index",
				(json_int_t)header->ifa_index)
		    : NULL;
}

static const char *route_type_name(unsigned type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_THROW:
		return "throw";
	default:
		return NULL;
	}
}

static void set_text(json_t *object, const char *key, char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
	free(text);
}

static void set_number(json_t *object, const char *key, const struct nlattr *number)
{
	if (number)
		json_object_set_new(object, key, json_integer(mnl_attr_get_u32(number)));
}

json_t *netlink_route_json(const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = { { NULL } };
	const struct nlattr *const *by = attributes.by_type;
	int family = header->rtm_family;

	mnl_attr_parse(message, sizeof *header, note_attribute, &attributes);

	unsigned table = by[RTA_TABLE] ? mnl_attr_get_u32(by[RTA_TABLE]) : header->rtm_table;
	if (table == RT_TABLE_LOCAL || (family != AF_INET && family != AF_INET6))
		return NULL;

	json_t *route = json_pack("{s:i, s:s*}", "scope", (int)header->rtm_scope, "type",
				  route_type_name(header->rtm_type));
	set_text(route, "dst",
		 by[RTA_DST] ? address_text(family, by[RTA_DST], header->rtm_dst_len)
			     : xstrdup(family == AF_INET ? "0.0.0.0/0" : "::/0"));
	if (by[RTA_GATEWAY])
		set_text(route, "gw", address_text(family, by[RTA_GATEWAY], -1));
	if (by[RTA_PREFSRC])
		set_text(route, "src", address_text(family, by[RTA_PREFSRC], -1));
	set_number(route, "priority", by[RTA_PRIORITY]);
	set_number(route, "index", by[RTA_OIF]);
	if (table != RT_TABLE_MAIN)
		json_object_set_new(route, "table", json_integer(table));
	return route;
}

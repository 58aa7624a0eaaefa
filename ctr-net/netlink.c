/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

enum {
	REQUEST_SIZE = 512,
	ANSWER_SIZE = 32768, /* the kernel fills a dump's messages up to this */
	DUMP_TRIES = 8	     /* a dump that a change interrupts is begun again */
};

int netlink_open(struct netlink *netlink, struct error *err)
{
	struct mnl_socket *opened = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!opened)
		return error_os(err, "cannot open a netlink socket");
	if (mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) < 0) {
		error_os(err, "cannot bind a netlink socket");
		mnl_socket_close(opened);
		return -1;
	}
	*netlink = (struct netlink){ .socket = opened };
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	netlink->socket = NULL;
}

/* Send a request and give every message of the answer to `handle`. */
static int exchange(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t handle,
		    void *context, struct error *err)
{
	cleanup_free char *answer = xcalloc(1, ANSWER_SIZE);
	unsigned port = mnl_socket_get_portid(netlink->socket);
	int state = MNL_CB_OK;

	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		return error_os(err, "netlink request");
	while (state == MNL_CB_OK) {
		ssize_t got = mnl_socket_recvfrom(netlink->socket, answer, ANSWER_SIZE);

		if (got < 0)
			return error_os(err, "netlink answer");
		state = mnl_cb_run(answer, (size_t)got, request->nlmsg_seq, port, handle, context);
		if (state < 0)
			return error_os(err, "the kernel refuses a netlink request");
	}
	return 0;
}

int netlink_set_up(struct netlink *netlink, const char *ifname, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = RTM_NEWLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(request, sizeof *link);
	link->ifi_family = AF_UNSPEC;
	link->ifi_change = IFF_UP;
	link->ifi_flags = IFF_UP;
	mnl_attr_put_strz(request, IFLA_IFNAME, ifname);
	if (exchange(netlink, request, NULL, NULL, err) < 0)
		return error_prefix(err, "cannot bring %s up", ifname);
	return 0;
}

/* ---- reading ---- */

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

static int note_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct attributes attributes = { { NULL } };
	const struct nlattr *const *by = attributes.by_type;

	mnl_attr_parse(message, sizeof *link, note_attribute, &attributes);
	if (!by[IFLA_IFNAME])
		return MNL_CB_OK;

	json_t *interface = json_pack("{s:i, s:o, s:s, s:o, s:[]}", "index", link->ifi_index,
				      "name", name_json(mnl_attr_get_str(by[IFLA_IFNAME])), "state",
				      state_name(by[IFLA_OPERSTATE]), "flags",
				      flags_json(link->ifi_flags), "addresses");
	if (by[IFLA_MTU])
		json_object_set_new(interface, "mtu", json_integer(mnl_attr_get_u32(by[IFLA_MTU])));
	if (by[IFLA_ADDRESS])
		set_mac(interface, by[IFLA_ADDRESS]);
	if (by[IFLA_LINKINFO])
		set_kind(interface, by[IFLA_LINKINFO]);
	json_array_append_new(context, interface);
	return MNL_CB_OK;
}

static json_t *find_interface(const json_t *interfaces, unsigned index)
{
	json_t *interface;
	size_t i;

	json_array_foreach (interfaces, i, interface) {
		if (json_integer_value(json_object_get(interface, "index")) == index)
			return interface;
	}
	return NULL;
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

static int note_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = { { NULL } };

	mnl_attr_parse(message, sizeof *header, note_attribute, &attributes);

	/* on a point-to-point link IFA_ADDRESS is the other end's */
	const struct nlattr *address = attributes.by_type[IFA_LOCAL]
					       ? attributes.by_type[IFA_LOCAL]
					       : attributes.by_type[IFA_ADDRESS];
	json_t *interface = find_interface(context, header->ifa_index);
	cleanup_free char *text =
		address ? address_text(header->ifa_family, address, header->ifa_prefixlen) : NULL;
	if (interface && text)
		json_array_append_new(json_object_get(interface, "addresses"), json_string(text));
	return MNL_CB_OK;
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

struct route_dump {
	json_t *routes;
	const json_t *interfaces;
};

static json_t *route_json(const struct rtmsg *header, const struct nlattr *const *by,
			  const json_t *interfaces)
{
	json_t *route = json_pack("{s:i, s:s*}", "scope", (int)header->rtm_scope, "type",
				  route_type_name(header->rtm_type));
	int family = header->rtm_family;

	set_text(route, "dst",
		 by[RTA_DST] ? address_text(family, by[RTA_DST], header->rtm_dst_len)
			     : xstrdup(family == AF_INET ? "0.0.0.0/0" : "::/0"));
	if (by[RTA_GATEWAY])
		set_text(route, "gw", address_text(family, by[RTA_GATEWAY], -1));
	if (by[RTA_PREFSRC])
		set_text(route, "src", address_text(family, by[RTA_PREFSRC], -1));
	if (by[RTA_PRIORITY])
		json_object_set_new(route, "priority",
				    json_integer(mnl_attr_get_u32(by[RTA_PRIORITY])));
	if (by[RTA_OIF]) {
		const json_t *interface = find_interface(interfaces, mnl_attr_get_u32(by[RTA_OIF]));

		json_object_set(route, "dev", json_object_get(interface, "name"));
	}
	return route;
}

static int note_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct route_dump *dump = context;
	struct attributes attributes = { { NULL } };

	mnl_attr_parse(message, sizeof *header, note_attribute, &attributes);

	const struct nlattr *number = attributes.by_type[RTA_TABLE];
	unsigned table = number ? mnl_attr_get_u32(number) : header->rtm_table;
	if (table == RT_TABLE_LOCAL ||
	    (header->rtm_family != AF_INET && header->rtm_family != AF_INET6))
		return MNL_CB_OK;

	json_t *route = route_json(header, attributes.by_type, dump->interfaces);
	if (table != RT_TABLE_MAIN)
		json_object_set_new(route, "table", json_integer(table));
	json_array_append_new(dump->routes, route);
	return MNL_CB_OK;
}

/* Ask for all objects of a kind. A dump that a change interrupted (EINTR) may miss some: `clear`
 * forgets what it gave, and it is asked for again. */
static int dump(struct netlink *netlink, uint16_t type, size_t header_size, mnl_cb_t handle,
		void *context, void (*clear)(void *context), struct error *err)
{
	for (int try = 0;; try++) {
		_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE] = { 0 };
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

		request->nlmsg_type = type;
		request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(request, header_size);
		if (exchange(netlink, request, handle, context, err) == 0)
			return 0;
		if (err->os != EINTR || try == DUMP_TRIES)
			return -1;
		clear(context);
	}
}

static void clear_array(void *context)
{
	json_array_clear(context);
}

static void clear_addresses(void *context)
{
	json_t *interface;
	size_t i;

	json_array_foreach ((json_t *)context, i, interface) {
		json_array_clear(json_object_get(interface, "addresses"));
	}
}

static void clear_routes(void *context)
{
	json_array_clear(((struct route_dump *)context)->routes);
}

json_t *netlink_interfaces(struct netlink *netlink, struct error *err)
{
	json_auto_t *interfaces = json_array();

	if (dump(netlink, RTM_GETLINK, sizeof(struct ifinfomsg), note_link, interfaces, clear_array,
		 err) < 0 ||
	    dump(netlink, RTM_GETADDR, sizeof(struct ifaddrmsg), note_address, interfaces,
		 clear_addresses, err) < 0)
		return NULL;
	return json_incref(interfaces);
}

json_t *netlink_routes(struct netlink *netlink, struct error *err)
{
	json_auto_t *routes = json_array();
	json_auto_t *interfaces = netlink_interfaces(netlink, err);
	struct route_dump context = { routes, interfaces };

	if (!interfaces || dump(netlink, RTM_GETROUTE, sizeof(struct rtmsg), note_route, &context,
				clear_routes, err) < 0)
		return NULL;
	return json_incref(routes);
}

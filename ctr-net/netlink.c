/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/netlink.h"

#include "ctr-net/netlink_message.h"
#include "ctr-net/subnet.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

enum {
	REQUEST_SIZE = 512,
	ANSWER_SIZE = 32768,   /* the kernel fills a dump's messages up to this */
	DUMP_TRIES = 8,	       /* a dump that a change interrupts is begun again */
	BACKLOG_SIZE = 4 << 20 /* bytes of changes that wait for us */
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

/* Whether a change has interrupted the dump. mnl_cb_run() would stop there, and what is left unread
 * would be taken for the answer to the next request. */
static bool take_interruption(char *answer, size_t length)
{
	bool interrupted = false;
	int left = (int)length;

	for (struct nlmsghdr *message = (void *)answer; mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		interrupted = interrupted || message->nlmsg_flags & NLM_F_DUMP_INTR;
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return interrupted;
}

/* Send a request and give every message of the answer to `handle`. EINTR where it is a dump that
 * may miss some. */
static int exchange(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t handle,
		    void *context, struct error *err)
{
	cleanup_free char *answer = xcalloc(1, ANSWER_SIZE);
	unsigned port = mnl_socket_get_portid(netlink->socket);
	int state = MNL_CB_OK;
	bool interrupted = false;

	request->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		return error_os(err, "netlink request");
	while (state == MNL_CB_OK) {
		ssize_t got = mnl_socket_recvfrom(netlink->socket, answer, ANSWER_SIZE);

		if (got < 0)
			return error_os(err, "netlink answer");
		interrupted = take_interruption(answer, (size_t)got) || interrupted;
		state = mnl_cb_run(answer, (size_t)got, request->nlmsg_seq, port, handle, context);
		if (state < 0)
			return error_os(err, "the kernel refuses a netlink request");
	}
	if (!interrupted)
		return 0;
	errno = EINTR;
	return error_os(err, "interfaces change all the time");
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

int netlink_add_veth(struct netlink *netlink, const char *name, const char *peer, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = RTM_NEWLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_str(request, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	struct nlattr *other = mnl_attr_nest_start(request, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, peer);
	mnl_attr_nest_end(request, other);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	if (exchange(netlink, request, NULL, NULL, err) < 0)
		return error_prefix(err, "cannot make interface %s", name);
	return 0;
}

/* ---- reading ---- */

struct collected {
	json_t *(*convert)(const struct nlmsghdr *message);
	json_t *objects;
};

static int collect(const struct nlmsghdr *message, void *context)
{
	const struct collected *collected = context;
	json_t *object = collected->convert(message);

	if (object)
		json_array_append_new(collected->objects, object);
	return MNL_CB_OK;
}

/* All objects of a kind. A dump that a change interrupted is asked for again. */
static json_t *dump(struct netlink *netlink, uint16_t type, size_t header_size,
		    json_t *(*convert)(const struct nlmsghdr *message), struct error *err)
{
	json_auto_t *objects = json_array();
	struct collected collected = { convert, objects };

	for (int try = 0;; try++) {
		_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE] = { 0 };
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

		request->nlmsg_type = type;
		request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(request, header_size);
		if (exchange(netlink, request, collect, &collected, err) == 0)
			return json_incref(objects);
		if (err->os != EINTR || try == DUMP_TRIES)
			return NULL;
		json_array_clear(objects);
	}
}

static json_t *find_interface(const json_t *interfaces, json_int_t index)
{
	json_t *interface;
	size_t i;

	json_array_foreach (interfaces, i, interface) {
		if (json_integer_value(json_object_get(interface, "index")) == index)
			return interface;
	}
	return NULL;
}

json_t *netlink_links(struct netlink *netlink, struct error *err)
{
	return dump(netlink, RTM_GETLINK, sizeof(struct ifinfomsg), netlink_link_json, err);
}

json_t *netlink_interfaces(struct netlink *netlink, struct error *err)
{
	json_auto_t *interfaces = netlink_links(netlink, err);
	json_auto_t *addresses = interfaces ? dump(netlink, RTM_GETADDR, sizeof(struct ifaddrmsg),
						   netlink_address_json, err)
					    : NULL;
	json_t *object;
	size_t i;

	if (!addresses)
		return NULL;
	json_array_foreach (interfaces, i, object) {
		json_object_set_new(object, "addresses", json_array());
	}
	json_array_foreach (addresses, i, object) {
		json_int_t index = json_integer_value(json_object_get(object, "index"));
		const json_t *interface = find_interface(interfaces, index);

		json_array_append(json_object_get(interface, "addresses"),
				  json_object_get(object, "address"));
	}
	return json_incref(interfaces);
}

json_t *netlink_routes(struct netlink *netlink, struct error *err)
{
	json_auto_t *links = netlink_links(netlink, err);
	json_t *routes =
		links ? dump(netlink, RTM_GETROUTE, sizeof(struct rtmsg), netlink_route_json, err)
		      : NULL;
	json_t *route;
	size_t i;

	json_array_foreach (routes, i, route) {
		json_int_t index = json_integer_value(json_object_get(route, "index"));
		const json_t *interface = find_interface(links, index);

		json_object_set(route, "dev", json_object_get(interface, "name"));
		json_object_del(route, "index");
	}
	return routes;
}

/* The index of an interface, or 0. */
static unsigned find_index(const json_t *links, const char *ifname)
{
	const json_t *link;
	size_t i;

	json_array_foreach (links, i, link) {
		if (strcmp(json_string_value(json_object_get(link, "name")), ifname) == 0)
			return (unsigned)json_integer_value(json_object_get(link, "index"));
	}
	return 0;
}

int netlink_add_address(struct netlink *netlink, const char *ifname, const char *address,
			struct error *err)
{
	json_auto_t *links = netlink_links(netlink, err);
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct subnet subnet;

	if (!links || subnet_parse_address(address, &subnet, err) < 0)
		return -1;

	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	header->ifa_family = (unsigned char)subnet.network.family;
	header->ifa_prefixlen = (unsigned char)subnet.prefix;
	header->ifa_index = find_index(links, ifname);
	header->ifa_flags = IFA_F_NODAD;
	mnl_attr_put(request, IFA_LOCAL, subnet.network.size, subnet.network.bytes);
	mnl_attr_put(request, IFA_ADDRESS, subnet.network.size, subnet.network.bytes);
	if (exchange(netlink, request, NULL, NULL, err) < 0)
		return error_prefix(err, "cannot give %s the address %s", ifname, address);
	return 0;
}

/* ---- watching ---- */

int netlink_subscribe(struct netlink *netlink, struct error *err)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	int fd = netlink_fd(netlink), size = BACKLOG_SIZE;

	/* a smaller one, where this is refused, only loses more */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(netlink->socket, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof group) < 0)
			return error_os(err, "cannot watch the interfaces");
	}
	return 0;
}

int netlink_receive(struct netlink *netlink,
		    void (*handle)(const struct nlmsghdr *message, void *context), void *context,
		    bool *lost, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, ANSWER_SIZE);
	ssize_t got = recv(netlink_fd(netlink), buffer, ANSWER_SIZE, MSG_DONTWAIT);
	int left = (int)got;

	*lost = got < 0 && errno == ENOBUFS;
	if (got < 0)
		return errno == ENOBUFS || errno == EAGAIN || errno == EINTR
			       ? 0
			       : error_os(err, "netlink");
	for (const struct nlmsghdr *message = (void *)buffer; mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left))
		handle(message, context);
	return 0;
}

int netlink_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->socket);
}

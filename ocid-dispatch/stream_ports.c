/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_ports.h"

#include "lib/cleanup.h"
#include "lib/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int stream_ports_open(struct stream_ports *ports, const json_t *request, struct error *err)
{
	const char *path = json_text(request, "netns", NULL);

	ports->netns_fd = -1;
	if (!path)
		return 0;
	ports->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return ports->netns_fd < 0 ? error_os(err, "the pod's network %s", path) : 0;
}

/* Nothing but sockets is needed from here on. */
static int drop_privileges(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, none) < 0)
		return error_os(err, "cannot drop privileges");
	return 0;
}

static int enter(struct stream_ports *ports, struct error *err)
{
	if (ports->entered)
		return 0;
	if (ports->netns_fd >= 0 && setns(ports->netns_fd, CLONE_NEWNET) < 0)
		return error_os(err, "cannot enter the pod's network");
	if (drop_privileges(err) < 0)
		return -1;
	ports->entered = true;
	return 0;
}

int stream_ports_connect(struct stream_ports *ports, uint16_t port, bool ipv6, struct error *err)
{
	const struct sockaddr_in loopback4 = { .sin_family = AF_INET,
					       .sin_port = htons(port),
					       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct sockaddr_in6 loopback6 = { .sin6_family = AF_INET6,
						.sin6_port = htons(port),
						.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const int on = 1;

	if (enter(ports, err) < 0)
		return -1;

	cleanup_fd int fd =
		socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_os(err, "socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd,
		    ipv6 ? (const struct sockaddr *)&loopback6
			 : (const struct sockaddr *)&loopback4,
		    ipv6 ? sizeof loopback6 : sizeof loopback4) < 0 &&
	    errno != EINPROGRESS)
		return error_os(err, "%s", ipv6 ? "::1" : "127.0.0.1");
	return steal_fd(&fd);
}

void stream_ports_close(struct stream_ports *ports)
{
	cleanup_fd_p(&ports->netns_fd);
}

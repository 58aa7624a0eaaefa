/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/notify.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_US = 1000, US_PER_S = 1000000 };

void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timespec now;

	if (!path || !strchr("/@", *path) || strlen(path) >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	clock_gettime(CLOCK_MONOTONIC, &now);

	cleanup_free char *text =
		xasprintf("%s\nMONOTONIC_USEC=%lld\n", state,
			  (long long)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* who does not listen need not know */
	if (fd >= 0)
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
}

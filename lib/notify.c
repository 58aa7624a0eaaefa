/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/notify.h"

#include "lib/cleanup.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

bool notify_is_expected(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	return name && name[0];
}

int notify_send(const char *lines, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length = name ? strlen(name) : 0;
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (length < 2 || length >= sizeof address.sun_path || !strchr("/@", name[0]))
		return error_set(err, ERROR_USAGE, "NOTIFY_SOCKET is no socket's name");
	memcpy(address.sun_path, name, length);
	if (name[0] == '@') /* in the abstract namespace */
		address.sun_path[0] = '\0';
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (fd < 0 ||
	    sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
		return error_os(err, "notification to %s", name);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/console_socket.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-shim/descriptor.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NAME_SIZE = 4096, PATIENCE_SECONDS = 5 };

int console_socket_listen(int dir_fd, const char *name, char **path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* through /proc, since the directory's own name may be too long for a socket */
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/%d/fd/%d/%s", (int)getpid(),
		 dir_fd, name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, 1) < 0)
		return error_os(err, "console socket");
	*path = xstrdup(address.sun_path);
	return steal_fd(&fd);
}

int console_socket_receive(int listen_fd, struct error *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	char name[NAME_SIZE];
	int terminal = -1;
	cleanup_fd int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		descriptor_receive(fd, name, sizeof name, &terminal);
	}
	if (terminal < 0)
		return error_set(err, ERROR_FAILED, "the runtime sent no terminal");
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	return terminal;
}

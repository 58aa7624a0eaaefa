/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors through unix sockets (unix(7), SCM_RIGHTS). */
#pragma once
#include <stddef.h>
#include <sys/types.h>

enum { DESCRIPTORS_MAX = 2 };

/* Send bytes, at least one, with at most DESCRIPTORS_MAX descriptors. -1 with errno. */
int descriptors_send(int socket_fd, const void *data, size_t length, const int *fds, size_t count);

/* Receive bytes, and one descriptor if it comes with them (else -1; it is the caller's). The number
 * of bytes, or -1 with errno. */
ssize_t descriptor_receive(int socket_fd, void *data, size_t size, int *fd);

/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors from elsewhere: named by an option, or through unix sockets (unix(7), SCM_RIGHTS). */
#pragma once
#include "lib/error.h"

#include <stddef.h>
#include <sys/types.h>

struct cli;

enum { DESCRIPTORS_MAX = 2 };

/* Keep the descriptor that an option names from what we start. A usage error unless it is open; -1
 * (none given) is fine. */
int descriptor_option(const struct cli *cli, const char *option, long long fd, struct error *err);

/* Send bytes, at least one, with at most DESCRIPTORS_MAX descriptors. -1 with errno. */
int descriptors_send(int socket_fd, const void *data, size_t length, const int *fds, size_t count);

/* Receive bytes, and one descriptor if it comes with them (else -1; it is the caller's). The number
 * of bytes, or -1 with errno. */
ssize_t descriptor_receive(int socket_fd, void *data, size_t size, int *fd);

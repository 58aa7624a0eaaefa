/* SPDX-License-Identifier: Apache-2.0 */
/* Where a runtime hands over the terminal that it makes (its --console-socket). */
#pragma once
#include "lib/error.h"

/* Listen in the directory under that name. The descriptor is the caller's, as is the removal of the
 * name; *path is how the runtime finds it while we live, and the caller's to free. */
int console_socket_listen(int dir_fd, const char *name, char **path, struct error *err);

/* The terminal's master that a runtime has sent which is gone by now. The caller's. */
int console_socket_receive(int listen_fd, struct error *err);

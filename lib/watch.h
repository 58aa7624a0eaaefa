/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7), with errors that name the limit of the system that is reached. */
#pragma once
#include "lib/error.h"

#include <stdint.h>

/* As inotify_init1(); the caller closes the descriptor. */
int watch_open(int flags, struct error *err);

/* As inotify_add_watch(): the number of the watch. */
int watch_add(int fd, const char *path, uint32_t events, struct error *err);

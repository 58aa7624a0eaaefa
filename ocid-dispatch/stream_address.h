/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the streaming server is: RUNROOT/streams/server holds its URL, and is locked as long as it
 * lives. So a handler finds it that no server has started, and one of a server that was started
 * again meanwhile.
 */
#pragma once
#include "lib/error.h"

/* Say so. *fd keeps the lock; -1 when another server of this RUNROOT has it, whose URL is as good
 * for the same requests. */
int stream_address_publish(const char *runroot, const char *url, int *fd, struct error *err);

/* The URL; NULL with ERROR_NOT_FOUND when no server runs. The caller frees it. */
char *stream_address_find(const char *runroot, struct error *err);

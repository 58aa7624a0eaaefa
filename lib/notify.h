/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager's notification socket (sd_notify(3)). */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

/* Whether there is one: $NOTIFY_SOCKET. */
bool notify_is_expected(void);

/* Send lines of KEY=VALUE. */
int notify_send(const char *lines, struct error *err);

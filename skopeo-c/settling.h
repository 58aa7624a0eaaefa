/* SPDX-License-Identifier: Apache-2.0 */
/* A file that goes to the disk (fdatasync) in a thread of its own: the loop goes on receiving
 * meanwhile, and is woken up at the end. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct http;
struct settling;

/* fd stays open until settling_end(). NULL where there can be no thread. */
struct settling *settling_start(int fd, struct http *http);
bool settling_is_done(const struct settling *settling);
/* Wait for the end, and free it; `what` names the file in errors. */
int settling_end(struct settling *settling, const char *what, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Our own terminal, and the sizes of others. */
#pragma once
#include "ocid-shim/monitor/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* The modes of our standard input while it is raw; zero-initialised is not. */
struct terminal {
	bool raw;
	struct termios before;
};

/* Where standard input is a terminal, have it pass on each byte as it is. */
void terminal_make_raw(struct terminal *terminal);
void terminal_restore(struct terminal *terminal);
#define cleanup_terminal __attribute__((cleanup(terminal_restore)))

/* The size of our terminal. False where standard input is none. */
bool terminal_size(struct monitor_size *size);

/* What tells those who read lines from that terminal that its input has ended. How many bytes that
 * are: none where it is read byte by byte, whose readers have to know for themselves. */
size_t terminal_end_of_input(int fd, char bytes[static 2]);

/* Read one line of those that Kubernetes sends, {"Width":80,"Height":24}. False where it is none.
 */
bool terminal_parse_size(const char *line, size_t length, struct monitor_size *size);

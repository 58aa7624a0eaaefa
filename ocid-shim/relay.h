/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between our standard streams and a process in a container: its terminal, or the socket on which
 * its monitor sends what it writes (monitor/protocol.h). Nothing here waits for one side only, so
 * who is slow to read does not keep what he writes from going on.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct relay {
	int output_fd; /* to read what it writes */
	bool packets;  /* output_fd is such a socket, else a terminal */
	int input_fd;  /* takes what we read from standard input, not waiting; -1: nothing. When
			  that ends it is closed; a terminal is told in its own way */
	int resize_fd; /* lines with new sizes of the terminal; -1: none */
	int end_fd;    /* can be read once the process has ended; -1: output_fd ends then */
	long long deadline; /* milliseconds (CLOCK_MONOTONIC); 0: none */
};

enum relay_end {
	RELAY_ENDED,	  /* the process, or the socket */
	RELAY_UNREAD,	  /* nobody reads our standard output any more */
	RELAY_TOO_LATE,	  /* the deadline */
	RELAY_INTERRUPTED /* we are asked to end */
};

/* Run until one of these; -1 with err. */
int relay_run(struct relay *relay, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Records to systemd's journal by its native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), a datagram each. A record that cannot be sent at
 * once is counted and dropped; the next one that can be comes after one that says so. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct journal {
	int fd;		    /* a datagram socket, or -1: no journal */
	const char *path;   /* of the journal's socket */
	const char *fields; /* KEY=VALUE lines that each record has */
	unsigned long long lost, lost_total;
};

/* Make the socket; -1 with errno. */
int journal_open(struct journal *journal, const char *path, const char *fields);

/* One record, without its newline. */
void journal_send(struct journal *journal, bool is_error, const char *content, size_t length,
		  bool full);

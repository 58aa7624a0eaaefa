/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ocid-shim and its monitor agree on: the monitor's command line and the messages on the
 * SOCK_SEQPACKET socket between them.
 *
 * The monitor sends one struct monitor_report once the runtime's `create` is over. ocid-shim then
 * sends one byte, MONITOR_COMMIT, when everything it has to do is done, and from there on the
 * container stands by itself. When the socket ends without that byte (ocid-shim gave up or was
 * killed) the monitor deletes the container and its directory, closes the socket and exits.
 *
 * From then on the monitor takes messages on the socket `ctl` in the container's directory. It is
 * of type SOCK_DGRAM, so that nobody can keep the monitor waiting. A message is one byte:
 *
 *   MONITOR_REOPEN  with two descriptors: a file to log to from now on, open for appending, and a
 *                   socket, on which the same byte is sent back when it is in use
 *
 * What is something else is dropped with its descriptors.
 */
#pragma once
#include <stdint.h>

/* The monitor's argv. Descriptors are decimal numbers; all but the runtime's log are closed before
 * the runtime runs. */
enum monitor_argument {
	MONITOR_SYNC = 1,    /* the socket */
	MONITOR_DIR,	     /* the container's directory below RUNROOT, open */
	MONITOR_LOCK,	     /* shim.pid, open and locked */
	MONITOR_BUSY,	     /* the container's lock, which others wait for: until commit or undo */
	MONITOR_LOG,	     /* the container's log, open for appending */
	MONITOR_RUNTIME_LOG, /* what the runtime's --log names */
	MONITOR_OPTIONS,     /* letters: t terminal, n --no-pivot, s shares a PID namespace */
	MONITOR_ID,
	MONITOR_DIR_PATH, /* the name of the directory, for the runtime and for its removal */
	MONITOR_BUNDLE,
	MONITOR_RUNTIME /* the runtime's path; its global options follow */
};

enum monitor_report_kind {
	MONITOR_CREATED,	/* number: process id of the container's init */
	MONITOR_RUNTIME_FAILED, /* number: wait status; text: what the runtime last said */
	MONITOR_BROKEN		/* number: errno, or 0; text: what did not work */
};

enum { MONITOR_TEXT_SIZE = 1024, MONITOR_COMMIT = 'c', MONITOR_REOPEN = 'l' };

struct monitor_report {
	uint32_t kind;
	int32_t number;
	char text[MONITOR_TEXT_SIZE];
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ocid-shim and its monitor agree on: the monitor's command line and the messages on the
 * SOCK_SEQPACKET socket between them.
 *
 * The monitor sends one struct monitor_report once the runtime's `create` (`run`, `restore`) is
 * over. ocid-shim then sends one byte, MONITOR_COMMIT, when everything it has to do is done, and
 * from there on the container stands by itself. When the socket ends without that byte (ocid-shim
 * gave up or was killed) the monitor deletes the container and its directory, closes the socket and
 * exits.
 *
 * From then on the monitor takes messages on the socket `ctl` in the container's directory. It is
 * of type SOCK_DGRAM, so that nobody can keep the monitor waiting. A message is one byte, what
 * belongs to it, and descriptors, the first of which is a SOCK_SEQPACKET socket for the answer:
 *
 *   MONITOR_REOPEN  and the descriptor of a file to log to from now on, open for appending; answer:
 *                   the same byte, when it is in use
 *   MONITOR_RESIZE  struct monitor_size; answer: the same byte, when the terminal has that size
 *   MONITOR_ATTACH  one byte, 1 to send input too, 0 not to; answer: the same byte, one byte that
 *                   says whether there is a terminal, and, where there is input to be sent, the
 *                   descriptor to write it to. The socket then belongs to the attacher.
 *
 * What is something else is dropped with its descriptors; the end of the socket then is the answer.
 *
 * On the socket of an attacher each packet of the monitor is a byte, 1 for output and 2 for error
 * output, and what the container wrote there; or MONITOR_INPUT_END: the input has ended for all,
 * the descriptor is to be closed. The attacher sends MONITOR_RESIZE as above, and MONITOR_INPUT_END
 * when it sends no more input and has closed the descriptor.
 *
 * The container waits for an attacher that is behind, but not for one that has taken nothing at all
 * for MONITOR_PATIENCE_MS: the monitor closes that one's socket.
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
	MONITOR_LOG,	     /* the container's log, open for appending; "-": no file */
	MONITOR_RUNTIME_LOG, /* what the runtime's --log names */
	MONITOR_OPTIONS,     /* letters: t terminal, n --no-pivot, s shares a PID namespace, i has
				an input, o that ends when the first attacher's does, r run: by one
				command, which also starts it */
	MONITOR_ID,
	MONITOR_DIR_PATH, /* the name of the directory, for the runtime and for its removal */
	MONITOR_BUNDLE,
	MONITOR_LOG_PATH,
	MONITOR_LOG_MAX,   /* bytes of a log file, 0: any number */
	MONITOR_LOG_FILES, /* of a log, beside the one that is written to */
	MONITOR_JOURNAL,   /* the journal's socket; "": no journal */
	MONITOR_JOURNAL_FIELDS,
	MONITOR_OOM_KILLS,  /* that the cgroup counted before there was a container in it */
	MONITOR_RESTORE,    /* a checkpoint to make the container of; "": none */
	MONITOR_CGROUP_END, /* cgroup_path.h */
	MONITOR_EXIT_WORDS, /* how many words of the exit command follow */
	MONITOR_RUNTIME	    /* after these: the runtime's path and its global options */
};

enum monitor_report_kind {
	MONITOR_CREATED,	/* number: process id of the container's init; text: when it ran,
				   where it does */
	MONITOR_RUNTIME_FAILED, /* number: wait status; text: what the runtime last said */
	MONITOR_BROKEN		/* number: errno, or 0; text: what did not work */
};

enum {
	MONITOR_COMMIT = 'c',
	MONITOR_REOPEN = 'l',
	MONITOR_RESIZE = 'r',
	MONITOR_ATTACH = 'a',
	MONITOR_INPUT_END = 'e'
};

enum {
	MONITOR_TEXT_SIZE = 1024,
	MONITOR_PACKET_MAX = 65536, /* bytes of output in a packet */
	MONITOR_ATTACHERS = 32,	    /* at once */
	MONITOR_PATIENCE_MS = 5000
};

struct monitor_size {
	uint16_t rows, columns;
};

struct monitor_report {
	uint32_t kind;
	int32_t number;
	char text[MONITOR_TEXT_SIZE];
};

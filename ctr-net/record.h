/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is needed to take a container's networks down again, kept in ROOT/networks/ID.json. It
 * outlives a reboot, since addresses that a plugin leased may do so too.
 *
 * The file is a journal, one JSON object a line, that is only ever appended to:
 *
 *   {"bundle": path}        the container's directory, where its document names one
 *   {"netns": bool}         whether `add` itself has pinned the namespace of the id
 *   {"attachment": {…}}     an attachment before its first plugin runs: network, ifname, netns (a
 *                           path), config (as it was used), capabilities, args, pluginPath
 *   {"ifname", "result", "ready": bool}   what its last plugin answered; ready: of the whole chain
 *   {"removed": ifname}     the attachment is gone
 *   {"ready": true}         an `add` of all networks has finished
 *
 * Only an attachment is synced to the disk: a power cut that loses later lines has taken the
 * interfaces as well. A line that a kill or a power cut has torn is dropped.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Zero-initialised is closed. Open, it holds the lock of the id: CNI forbids two operations on one
 * container at a time. Fields are for reading. */
struct record {
	const struct store *store; /* borrowed */
	char *id;
	char *bundle;	     /* or NULL */
	json_t *attachments; /* objects as above, with "result" and "ready" where known */
	bool owns_netns, ready;
	int dir_fd, lock_fd, fd; /* fd -1: no file yet */
	bool open;
};

/* Lock the id and read its record; without one, begin an empty record. */
int record_open(const struct store *store, const char *id, struct record *record,
		struct error *err);

/* The ids of all records, sorted. */
int record_list(const struct store *store, struct strings *ids, struct error *err);

/* The ids that have a lock file but no record, as a process that was killed may leave them; opening
 * and closing the record removes it. */
int record_list_locks(const struct store *store, struct strings *ids, struct error *err);

/* The attachments of a container as they are just now, without its lock; the caller owns them. */
json_t *record_peek(const struct store *store, const char *id, struct error *err);

/* Closing removes the file of a record in which nothing is left. */
void record_close(struct record *record);
#define cleanup_record __attribute__((cleanup(record_close)))

/* Changes; each is on disk when it returns. attachment is one of the record's own. */
int record_add(struct record *record, json_t *attachment, struct error *err);
int record_note_result(struct record *record, json_t *attachment, json_t *result, bool ready,
		       struct error *err);
int record_set_bundle(struct record *record, const char *bundle, struct error *err);
int record_own_netns(struct record *record, struct error *err);
int record_set_ready(struct record *record, struct error *err);

void record_remove(struct record *record, const json_t *attachment);
void record_disown_netns(struct record *record);

/* For the plugins of an ADD, a descriptor that the caller closes when they are done. Should we be
 * killed, what they have started keeps it: who takes the attachment down awaits that, as long as
 * seconds; a daemon may have been started, too. */
int record_hold(const struct record *record, struct error *err);
void record_await_holders(const struct record *record);

/* The attachment with that interface, or NULL; borrowed. */
json_t *record_find(const struct record *record, const char *ifname);

/* Whether nothing is recorded. */
bool record_is_empty(const struct record *record);

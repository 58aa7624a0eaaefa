/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is needed to take a container's networks down again, kept in ROOT/networks/ID.json. It
 * outlives a reboot, since addresses that a plugin leased may do so too.
 *
 *   {"id", "netns": true when `add` pinned the namespace ID itself, "ready": true when `add` has
 *    finished, "attachments": [{"network", "ifname", "netns": path, "config": the configuration as
 *    it was used, "capabilities", "args", "pluginPath", "result": of the last plugin that ran}]}
 *
 * An attachment without "ready" is one whose `add` was cut short.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct store;

/* Zero-initialised is closed. Open, it holds the lock of the id: CNI forbids two operations on one
 * container at a time. */
struct record {
	const struct store *store; /* borrowed */
	char *id;
	json_t *json;
	int dir_fd, lock_fd;
	bool open;
};

/* Lock the id and read its record; without one, begin an empty record, which is not saved yet. */
int record_open(const struct store *store, const char *id, struct record *record,
		struct error *err);

/* Write it, or remove it when nothing is left in it. */
int record_save(struct record *record, struct error *err);
void record_close(struct record *record);
#define cleanup_record __attribute__((cleanup(record_close)))

/* The attachment with that interface, or NULL; borrowed. */
json_t *record_find(const struct record *record, const char *ifname);

json_t *record_attachments(const struct record *record); /* borrowed, never NULL */
void record_remove(struct record *record, const json_t *attachment);

/* Whether `add` itself made the namespace of the id. */
bool record_owns_netns(const struct record *record);
void record_set_netns(struct record *record, bool owned);

/* Whether anything is recorded. */
bool record_is_empty(const struct record *record);

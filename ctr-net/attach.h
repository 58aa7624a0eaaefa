/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting a container to a network and taking it off again, with the record that makes the
 * second possible whatever happens to the first. */
#pragma once
#include "ctr-net/cni_plugin.h"
#include "ctr-net/record.h"
#include "lib/lock.h"

/* How plugins are run for DEL. */
struct attach_settings {
	const char *plugin_path;	 /* NULL: as it was for ADD */
	const struct strings *conf_dirs; /* where networks are configured now; NULL: no matter */
	int timeout_ms;
	bool force; /* go on where a plugin fails, tell of it, and forget the attachment */
};

/* Run the plugins of the network for ADD. What a killed `add`, or one before a reboot, has left
 * under that interface name is taken down first; a living attachment is ERROR_EXISTS. On failure
 * everything is undone. *result is borrowed from the record. */
int attach_add(struct record *record, const json_t *config, const struct attachment *attachment,
	       const struct strings *conf_dirs, json_t **result, struct error *err);

/* Run the plugins of one attachment of the record for DEL, and remove it from the record. They get
 * the configuration as it was for ADD; where neither ADD nor DEL could be done by that, they get
 * what it has become meanwhile. */
int attach_del(struct record *record, json_t *entry, const struct attach_settings *settings,
	       struct error *err);

/* All of them, the last one first. */
int attach_del_all(struct record *record, const struct attach_settings *settings,
		   struct error *err);

/* The same where an `add` cannot be finished: goes on where a plugin fails, also after a signal,
 * and reports itself what fails, since the caller has an error of its own; false then. */
bool attach_undo(struct record *record, json_t *entry, const struct attach_settings *settings);

/* Run the plugins of one attachment for CHECK: *checked is false where the configuration forbids
 * that. ERROR_FAILED when something is wrong, ERROR_NOT_FOUND when the namespace is gone,
 * ERROR_UNSUPPORTED when the CNI version of the network has no CHECK. */
int attach_check(const struct record *record, const json_t *entry,
		 const struct attach_settings *settings, bool *checked, struct error *err);

/* Lock a network for its garbage collection (LOCK_EXCLUSIVE): plugins would remove what is recorded
 * only meanwhile. Returns a descriptor. */
int attach_lock_network(const struct store *store, const char *network, enum lock_mode mode,
			struct error *err);

/* Keep garbage collection away from ADD and DEL for as long as *lock_fd is open, which stays as it
 * is for a network that has none (SPEC section 3, "Lifecycle & Ordering"). */
int attach_keep_gc_out(const struct store *store, const json_t *config, int *lock_fd,
		       struct error *err);

/* Whether the attachment is complete and its namespace still there. */
bool attach_is_alive(const json_t *entry);

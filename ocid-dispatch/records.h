/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dispatcher itself keeps of pods and of the containers in them:
 *
 *   ROOT/pods/ID/document.json          the pod's document, see ocid-dispatch/pods.h
 *   ROOT/pods/ID/containers/ID.json     a container in it, see ocid-dispatch/containers.h
 *   ROOT/podnames/HASH                  a symbolic link to the id of the pod with that name
 *   RUNROOT/pods/ID/                    shm/, pause
 *
 * Everything else that is known of a container is in ROOT/containers/ID/document.json and in what
 * ocid-shim(1) keeps.
 */
#pragma once
#include "lib/error.h"
#include "lib/store.h"

#include <jansson.h>
#include <stdbool.h>

struct rpc_context;
struct strings;

/* Zero-initialised is closed. */
struct records {
	struct store store;
	int pods_fd, names_fd, run_pods_fd;
};

int records_open(const struct rpc_context *context, struct records *records, struct error *err);
void records_close(struct records *records);
#define cleanup_records __attribute__((cleanup(records_close)))

/* What a power cut can leave of a record: volatile, anything; durable, the new one, and before that
 * is written the old one; first, which waits half as long, the new one, and before that nothing. */
enum record_kind { RECORD_VOLATILE, RECORD_DURABLE, RECORD_FIRST };

/* Replace the file `name` of dir_fd by the JSON, whole at any instant for other processes. */
int records_write(int dir_fd, const char *name, const json_t *json, enum record_kind kind,
		  struct error *err);

/* By the error of reading a record: it is not there, or holds nothing, as after a power cut. Any
 * other, as of the disk or for want of memory, says nothing about what it is of: that must not be
 * taken to be gone. */
bool records_is_lost(const struct error *why);

/* The same for a list of `what`, which goes on without `id` then: that a record is damaged is said,
 * as nobody else would. */
bool records_leave_out(const char *what, const char *id, const struct error *why);

/* Remove it; that it is not there is no error. */
int records_remove(int dir_fd, const char *name, struct error *err);

/* For what only guards against our end in the midst of stopping or removing: a full disk, which
 * that may be meant for, is no failure, nor one that is read-only by now. `status` is that of a
 * write. */
int records_forgive_unwritable(int status, struct error *err);

/* The names in a directory that are ids, after `suffix` is taken off, in any order. */
int records_ids(int dir_fd, const char *path, const char *suffix, struct strings *ids,
		struct error *err);

/* The one of the ids that is `text`, or that alone begins with it. NULL with ERROR_NOT_FOUND that
 * calls it `what`, or ERROR_USAGE. Borrowed. */
const char *records_choose(const struct strings *ids, const char *text, const char *what,
			   struct error *err);

/* A time of another tool in nanoseconds since 1970; 0 where it is not one. */
json_int_t records_time(const char *rfc3339);

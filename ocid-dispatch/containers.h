/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers of pods. ROOT/pods/POD/containers/ID.json is what lists of them need: CRI's own
 * Container, without its state, and
 *
 *   stage    "making" from before the first thing of it is made, then "made", and "removing" from
 *            before the first thing is removed
 *   failure  {message, at (ns since 1970)}: why it will never run
 *   importedImage  the id of an image that was made for it, of a checkpoint's archive
 *
 * ID.end beside it is {exit, started}: what ocid-shim(1) has known, from when a client has first
 * asked how it has ended; a reboot leaves that. Where nobody saw it, `exit` has nothing but the
 * time of that question.
 *
 * All else is in the container's document and, once it has been started, with ocid-shim(1), which
 * knows nothing of it before.
 *
 * The lock "cri-ID" is held by whoever makes, starts or removes it.
 */
#pragma once
#include "lib/error.h"
#include "ocid-dispatch/records.h"

#include <jansson.h>
#include <stdbool.h>

struct rpc_context;

/* A container that a client has named. Zero-initialise; free with cleanup_named. */
struct named {
	char *id, *pod;
};

void named_free(struct named *named);
#define cleanup_named __attribute__((cleanup(named_free)))

/* Find it by its id, or by the beginning of that. ERROR_NOT_FOUND. */
int container_find(const struct records *records, const char *text, struct named *named,
		   struct error *err);

/* The containers of a pod, also half-made ones. */
int container_ids(const struct records *records, const char *pod, struct strings *ids,
		  struct error *err);

/* Its record; the caller owns it. ERROR_NOT_FOUND. */
json_t *container_read(const struct records *records, const struct named *named, struct error *err);
int container_write(const struct records *records, const char *pod, json_t *record,
		    const char *stage, enum record_kind kind, struct error *err);

/* The record of the container that a request names. */
json_t *container_asked(const struct records *records, const json_t *request, struct error *err);

/* Its container document. */
json_t *container_document(const struct records *records, const char *id, struct error *err);

int container_lock(const struct records *records, const char *id, bool wait, struct error *err);

/* Whether it is being made just now: then nobody knows it yet. */
bool container_is_being_made(const struct records *records, const json_t *record);

enum container_state {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_EXITED,
};

/* Note that it will never run: it has ended. The caller holds the lock. */
int container_fail(const struct records *records, const struct named *named, const char *why,
		   struct error *err);

/* Its name in CRI. */
const char *container_state_name(enum container_state state);

/* What ocid-shim(1) keeps of it, of which members may be absent (man 1 ocid-shim, FILES). Free
 * with cleanup_facts. */
struct facts {
	enum container_state state;
	json_t *shim;  /* state.json, or NULL: after a reboot */
	json_t *exit;  /* how it ended; NULL, or without a code: nobody knows */
	char *started; /* RFC 3339, or NULL */
};

void facts_free(struct facts *facts);
#define cleanup_facts __attribute__((cleanup(facts_free)))

void container_facts(const struct records *records, const struct named *named, struct facts *facts);

/* Keep how it has ended, where a reboot leaves it. What cannot be done now is, when it is asked for
 * again. */
void container_keep_end(const struct records *records, const struct named *named);

/* The same at once, by who holds the lock. */
void container_note_end(const struct records *records, const struct named *named);

/* Forget that. The caller holds the lock. */
int container_drop_end(const struct records *records, const struct named *named, struct error *err);

/* Only the state, cheaply. */
enum container_state container_state(const struct records *records, const struct named *named);

/* The state of one that has been started; false when it has not been. One that cannot be looked at
 * is taken to run, since it would be forgotten otherwise. */
bool container_was_started(const struct records *records, const char *id,
			   enum container_state *state);

/* Let it end within so many seconds, or make it; one that has ended, or is removed meanwhile, is no
 * error. One that was not started never will be. */
int container_stop(const struct rpc_context *context, const struct records *records,
		   const struct named *named, int timeout_s, struct error *err);

/* Remove it, running or not, and its record; the caller holds the lock. */
int container_remove(const struct rpc_context *context, const struct records *records,
		     const struct named *named, struct error *err);

/* The same for all of a pod; and end all of a pod at once. */
int container_remove_all(const struct rpc_context *context, const struct records *records,
			 const char *pod, struct error *err);
int container_end_all(const struct rpc_context *context, const struct records *records,
		      const char *pod, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs on their way into a registry (distribution-spec 1.1, "Pushing blobs"). One is asked for,
 * mounted from another repository where that is possible, and else uploaded in one request. An
 * upload that has broken is begun again in parts (PATCH), of which the registry says how much it
 * has, from where it stands; so is one that an earlier process has left (upload_session.h).
 */
#pragma once
#include "lib/error.h"

struct blob;
struct blob_sink;
struct registry;

/* What the uploads to one repository have in common; zero-initialised but for the registry. */
struct uploads {
	struct registry *registry; /* borrowed */
	char *mount_from;	   /* a repository of the same registry, owned; or NULL */
	const char *runroot;	   /* borrowed */
	enum { PARTS_UNTRIED, PARTS_WANTED, PARTS_REFUSED } parts;
};

/* Of the class of a transport, see transport.h. */
void upload_offer(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink);
int upload_poll_sink(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		     struct error *err);
int upload_poll(struct uploads *uploads, const struct blob *blob, struct blob_sink *sink,
		struct error *err);
int upload_commit(const struct blob *blob, const struct blob_sink *sink, const char *name,
		  struct error *err);

struct upload;
void upload_free(struct upload *upload);

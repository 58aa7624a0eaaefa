/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archives of `docker save` and `docker load` (Docker image specification 1.2, "Combined Image
 * JSON + Filesystem Changeset Format"): for docker-archive: and docker-daemon:. Layers that are
 * written stay compressed as they are, which every reader of such archives knows to undo; so their
 * digests are the same again when the image goes back to a registry.
 */
#pragma once
#include "skopeo-c/archive_writer.h"
#include "skopeo-c/plan.h"

struct docker_archive {
	struct archive *archive; /* source */
	json_t *manifest;	 /* source: what was made of its image */
	json_t *blobs;		 /* source: digest to the name of a member */
	struct archive_writer writer;
	json_t *entries;      /* destination: what manifest.json is going to be */
	struct strings names; /* destination: of the image to come, full references */
};

void docker_archive_init(struct docker_archive *state);
/* What it holds, and itself. */
void docker_archive_free(struct docker_archive *state);

/* Make an image of an open archive: of the one that `ref`, a name or "@N" (NULL: the only one),
 * means. Fills *reference where the image has a name. `what` is the transport, for errors. */
int docker_archive_load(struct docker_archive *state, const char *ref, const char *what,
			char **reference, struct error *err);

/* All images of an archive, the array of its manifest.json; the caller owns it. */
json_t *docker_archive_entries(const struct archive *archive, struct error *err);

/* Name the image to come: `ref` (NULL: none), and further ones. */
int docker_archive_name(struct docker_archive *state, const char *ref,
			const struct strings *additional, struct error *err);

/* Refuse what such an archive cannot hold. */
int docker_archive_check(const struct plan *plan, const char *what, struct error *err);

/* manifest.json for this manifest; the caller frees it. Its length is known before any blob is
 * there. */
char *docker_archive_index(const struct docker_archive *state, const struct manifest *manifest);

/* The name of a blob in the archive; the caller frees it. */
char *docker_archive_blob_name(const struct blob *blob);

/* Functions of a transport whose state begins with a struct docker_archive. */
int docker_archive_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
				struct error *err);
int docker_archive_open_blob(struct transport *t, const struct blob *blob,
			     struct blob_source *source, struct error *err);
int docker_archive_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			      struct error *err);
int docker_archive_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			       struct error *err);
int docker_archive_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
				struct error *err);

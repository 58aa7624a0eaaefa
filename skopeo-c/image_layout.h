/* SPDX-License-Identifier: Apache-2.0 */
/* What oci: and store: have in common: both are OCI image layouts (lib/layout.h). */
#pragma once
#include "lib/layout.h"
#include "lib/staging.h"
#include "lib/store.h"
#include "skopeo-c/transport.h"

struct image_layout {
	struct layout layout;
	json_t *entry;		/* source: what the transport's name stands for, from index.json */
	char *ref_name;		/* destination: the entry's name; NULL for none */
	int new_files_fd;	/* destination: where new files are made; borrowed */
	int partials_fd;	/* destination: where downloads that end early stay; borrowed */
	int blobs_fd;		/* oci: only: where the blobs are instead; -1: in the layout */
	int gate_fd;		/* oci: only, as a destination: see layout_gate() */
	bool has_unsynced;	/* destination: see layout_place_blob() */
	json_t *referrers;	/* oci: only: see layout_entry_referrers() */
	struct store store;	/* store: only */
	struct staging staging; /* store: only */
};

struct image_layout *image_layout_new(void);
void image_layout_close(struct transport *t);

int image_layout_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
			      struct error *err);
int image_layout_open_blob(struct transport *t, const struct blob *blob, struct blob_source *source,
			   struct error *err);
int image_layout_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			    struct error *err);
int image_layout_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			     struct error *err);
int image_layout_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
			      struct error *err);

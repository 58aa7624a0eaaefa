/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect finds out about an image, one step after the other without waiting, so that many
 * images are looked at together. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/image.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/registry_pool.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

#include <jansson.h>
#include <stdbool.h>

struct inspect_settings {
	struct access access;
	struct platform_choice platform;
	bool raw, config, no_tags, all;
	const char *format, *algorithm, *blob_dir, *daemon;
};

/* What the inspections of a command have in common. */
struct inspect_session {
	const struct cli *cli;
	const struct inspect_settings *settings;
	bool wants_tags, wants_config; /* or is done without them */
	struct http *http;	       /* NULL until a registry is looked at */
	struct registry_pool pool;
	json_t *platform;  /* the one that is wanted */
	json_t *tag_lists; /* by repository: its tags, or true while they are asked for */
	json_t *known;	   /* by repository and digest: what small images were found to be */
};

void inspect_session_close(struct inspect_session *session);
#define cleanup_inspect_session __attribute__((cleanup(inspect_session_close)))

struct inspection {
	struct inspect_session *session;
	char *name;    /* as the user wrote it */
	json_t *entry; /* of the index that names the image; NULL: it is what `name` stands for */
	unsigned step;
	bool is_done;
	struct transport from;
	char *repository; /* "HOST/PATH" in a registry, else NULL */
	char *title;	  /* that of an image elsewhere which was chosen by such a name, or NULL */
	char *known_as;	  /* the key of session->known */
	struct manifest manifest;
	struct image image;
	struct blob_source config_source;
	struct tags tags;

	/* What was found out; owned. */
	bool has_failed;
	struct error problem;	  /* why */
	char digest[DIGEST_SIZE]; /* of what was asked for, an index or a manifest */
	json_t *images;		  /* the entries of an index, when all are wanted: then no more */
	bool is_docker;		  /* the image is Docker's, not OCI's */
	json_t *config;		  /* NULL where an artifact's is no JSON object */
	json_t *layers;		  /* their descriptors */
	json_t *tag_list;	  /* an array */
};

/* Begin to look at the image called `name`, or at the one that an entry of its index names. */
struct inspection *inspection_new(struct inspect_session *session, const char *name, json_t *entry);
/* True once it has failed, or all is there that the settings ask for; to be called after each
 * http_pump() until then. */
bool inspection_poll(struct inspection *inspection);
/* NULL is fine. */
void inspection_free(struct inspection *inspection);

/* SPDX-License-Identifier: Apache-2.0 */
/* One image from one place to another: what copy does once and sync many times. */
#pragma once
#include "skopeo-c/convert.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/progress.h"

#include <stdbool.h>

struct cli;
struct trust;

/* What is to be copied, and how; all of it borrowed. */
struct copy_request {
	const struct cli *cli;
	const char *source, *destination; /* with their transports */
	const struct access *source_access, *destination_access;
	struct trust *trust;
	struct plan_choice choice;
	struct conversion conversion;
	bool accept_uncompressed; /* layers, also of a source whose manifest is made up */
	bool preserve_digests;	  /* fail rather than change anything */
	bool is_new;		  /* known not to be at the destination: no need to ask */
	bool with_referrers;	  /* with what refers to it */
	const char *tarball_config;
	const struct strings *additional_tags;		    /* or NULL */
	const char *source_blob_dir, *destination_blob_dir; /* of oci:, or NULL */
	const char *source_daemon, *destination_daemon;	    /* of docker-daemon:, or NULL */
	int claims_fd;	 /* of several processes (claim.h); 0: there is only this one */
	size_t parallel; /* blobs at a time; 0: the default */
	struct progress *progress;
};

/* What was copied. */
struct copy_result {
	json_t *field; /* the `image` field of the container document; owned */
	char digest[DIGEST_SIZE];
	bool was_there; /* the destination had exactly this already */
	bool is_stdout; /* the image itself went to standard output */
};

/* http may be NULL where neither side is a registry. On return the destination is finished, or
 * holds nothing of the image. */
int copy_image(const struct copy_request *request, struct http *http, struct copy_result *result,
	       struct error *err);

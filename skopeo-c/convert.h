/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that change on their way, because that was asked for: the kind of their manifests, the
 * compression of their layers. What was planned to be copied is made anew, and a transport that
 * stands for the result takes the place of the source.
 */
#pragma once
#include "skopeo-c/plan.h"
#include "skopeo-c/recode.h"
#include "skopeo-c/transport.h"

struct conversion {
	const char *format; /* MANIFEST_OCI or MANIFEST_DOCKER; NULL: each as it is */
	enum {
		LAYERS_KEPT,
		LAYERS_COMPRESSED, /* those that are not compressed at all are */
		LAYERS_RECODED	   /* all get the way of `recoding` */
	} layers;
	/* The types of the layers were found out here, and are right; those of a way that no
	 * specification names a type for are recoded. */
	bool is_made_up;
	struct recoding recoding;
};

/* Whether anything may become different, or surely does; images of schema 1 always do. */
bool conversion_changes(const struct conversion *conversion, const struct plan *plan, bool surely);

/* Make what is planned anew. `result` is opened: it gives what `from`, which it goes on using, does
 * not have, and `to` has not got yet. parallel: blobs at a time. */
int convert(struct transport *from, struct transport *to, const struct conversion *conversion,
	    struct http *http, size_t parallel, struct plan *plan, struct transport *result,
	    struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the destination of a copy has already, found out before the source is read: of a registry by
 * one HEAD of the name on each side, of a layout or directory on this machine by one at the source,
 * and everything else is read there.
 */
#pragma once
#include "skopeo-c/plan.h"
#include "skopeo-c/transport.h"

struct copy_request;

/* Zero-initialised is: nothing. */
struct already {
	/* Of the image that the destination has, where the source need not be read: else NULL. It
	 * has a mediaType, a digest and a size. */
	json_t *descriptor;
	struct transport transport;	    /* the destination, open to be read; or closed */
	json_t *at_source, *at_destination; /* what the names stand for, where they were asked */
	bool destination_is_told;
	bool chooses; /* from an index, where the destination may have what is chosen */
};

void already_free(struct already *already);

/* Ask two registries; `to` is asked in any case. */
int already_ask(struct already *already, const struct copy_request *request, struct transport *from,
		struct transport *to, struct error *err);

/* The digest of what the destination, a registry that was asked, has under the name; or "". */
const char *already_digest(struct already *already, struct transport *to);

/* Look at a destination on this machine, which is not open yet, and ask the source where there is
 * something. */
void already_look(struct already *already, const struct copy_request *request,
		  struct transport *from);

/* For plan_make(); borrowed. */
struct plan_known already_known(struct already *already);

/* The plan has found that just the image of this descriptor is chosen from an index: it is
 * already->descriptor then, unless the image has signatures, which come along. */
int already_chosen(struct already *already, const struct copy_request *request,
		   struct transport *from, json_t *descriptor, struct error *err);

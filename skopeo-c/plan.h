/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifests a name stands for: one image for a platform, or an index with all its images. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/manifest.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct transport;

/* What was said of it; borrowed from argv. */
struct platform_choice {
	const char *os, *architecture, *variant;
	const char *platform; /* all in one */
};

/* The rows that fill a struct platform_choice in a command's settings; FIELD() is its offsetof. */
/* clang-format off */
#define PLATFORM_OPTIONS(choice) \
	{ "platform", 0, "OS/ARCH[/VARIANT]", OPTION_STRING, FIELD(choice.platform), \
	  "choose the image for this platform from an index" }, \
	{ "override-os", 0, "OS", OPTION_STRING, FIELD(choice.os), \
	  "choose for this operating system" }, \
	{ "override-arch", 0, "ARCH", OPTION_STRING, FIELD(choice.architecture), \
	  "choose for this architecture, as Go names it" }, \
	{ "override-variant", 0, "VARIANT", OPTION_STRING, FIELD(choice.variant), \
	  "choose for this variant of the architecture" }
/* clang-format on */

/* This machine's platform with what the user chose over it; the caller owns it. ERROR_USAGE where
 * that is none. */
json_t *platform_wanted(const struct platform_choice *choice, struct error *err);

/* Which images of an index. */
struct plan_choice {
	struct platform_choice platform;
	enum {
		PLAN_SYSTEM,	 /* the one for the platform */
		PLAN_ALL,	 /* all of them, and the index */
		PLAN_INDEX_ONLY, /* the index without its images */
		PLAN_LISTED	 /* those for `platforms`, with an index of just these */
	} which;
	const char *platforms; /* "linux/amd64,linux/arm/v7" */
	bool keep_index;       /* of PLAN_LISTED: the index stays as it is */
};

struct plan {
	struct manifest *manifests; /* what an index names stands before it: the last is the top */
	size_t count;
	size_t bytes;
	const struct manifest
		*image; /* the one for the wanted platform; NULL where there is none */
	/* The indexes that are not copied: those on the way to the image that was chosen, from the
	 * top down; or the one of which the top names only a part. */
	struct manifest *left;
	size_t left_count;
	bool is_reduced; /* the latter */
	/* The descriptor of the image that is known to be at the destination: nothing else was
	 * planned. Owned; else NULL. */
	json_t *is_there;
};

/* What is known before the manifests are read; all of it borrowed, or NULL. */
struct plan_known {
	struct transport *transport; /* has some of them, and is read instead, by their digests */
	const char *top;	     /* the digest of what the name stands for */
	/* the digest of the image that is at the destination: where just this one is chosen from an
	 * index, it need not be read */
	const char *image;
};

/* Read the manifests of `from`'s name. What was chosen must be there. The digests and sizes that an
 * index names are checked, and nesting, number and bytes are limited. */
int plan_make(struct transport *from, const struct plan_known *known,
	      const struct plan_choice *choice, struct plan *plan, struct error *err);
void plan_free(struct plan *plan);
#define cleanup_plan __attribute__((cleanup(plan_free)))

/* The manifest that the destination's name will stand for. */
const struct manifest *plan_top(const struct plan *plan);

/* Follow indexes from the manifest `top` down to the image for `platform`: takes over `top`, which
 * may be an index or an image already. */
int plan_choose(struct transport *from, struct manifest *top, const json_t *platform,
		struct error *err);

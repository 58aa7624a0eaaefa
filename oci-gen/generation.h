/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A config.json in the making. Sources are applied in this order, each over the one before: the
 * template, the image's configuration, the document, the options, the operands. What several
 * sources decide together is kept beside the configuration until generation_finish(), which also
 * adds devices by their CDI files. Patches go over the finished configuration, which is then
 * checked.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"
#include "oci-gen/capabilities.h"

#include <jansson.h>
#include <stdbool.h>

struct generation {
	json_t *config;
	json_t *environment;	      /* name → "NAME=VALUE", in order */
	json_t *entrypoint, *command; /* arrays; args are one after the other */
	json_t *mounts;		      /* added by options */
	struct capability_choice capabilities;
	char *user;	       /* "USER[:GROUP]", or NULL for what process.user says */
	const char *uid, *gid; /* override the user's; NULL where not given */
	const char *seccomp;   /* "default", "unconfined" or a file; borrowed. NULL: as it is */
	json_t *seccomp_edits; /* [verb, value], for seccomp_edit() */
	struct strings seccomp_lists; /* of the filter in config: seccomp_names.h */
	json_t *volumes;	      /* of the image, as keys; or NULL */
	const char *volumes_mode;     /* for volumes_apply(), or NULL; borrowed */
	const char *volumes_bundle;   /* the bundle for new volumes, or NULL; borrowed */
	size_t volumes_new;	      /* how many of these volumes_make() makes */
	json_t *cdi_devices;	      /* names, for cdi_find() */
	json_t *cdi_directories;      /* or NULL for the usual ones */
	json_t *faults;		      /* errors that template and patches have by themselves */
	json_t *cri;		      /* what cri_read() made of the document's, or NULL */
	char cri_gid[24];	      /* what gid points to when it comes from there */
	const char *root_from;	      /* what a relative root is in, or NULL; borrowed */
	const char *bundle;	      /* whose files lie over those of /etc, or NULL; borrowed */
	const char *platform;	      /* that was named, or NULL; borrowed */
	struct trace *trace;	      /* where things come from, or NULL; borrowed */
	bool strict_groups;	      /* none but those that are named one by one */
	bool from_template; /* a user's: what it says stays unless something speaks against it */
	bool mounts_added;  /* their order may hide something */
	bool finished;	    /* with generation_finish() */
	/* by an option, not by default or by the image */
	bool args_given, entrypoint_given, hostname_given, user_given, version_given;
};

void generation_start(struct generation *g);
void generation_free(struct generation *g);
#define cleanup_generation __attribute__((cleanup(generation_free)))

/* "NAME=VALUE" takes the place of an earlier value of NAME. */
void generation_set_env(struct generation *g, const char *assignment);

/* Add a mount, in place of one with the same destination. Takes the reference. */
void generation_put_mount(struct generation *g, json_t *mount);

/* Start from this configuration, not the built-in one. Takes the reference. ERROR_INTEGRITY where a
 * member has the wrong type; `path` names it. */
int generation_set_template(struct generation *g, json_t *config, const char *path,
			    struct error *err);

/* Note what is wrong with a template or a patch by itself, for which no option is to be blamed. */
void generation_note_faults(struct generation *g, const json_t *config);

/* Where the container's root is on this host; NULL where there is none. The caller frees it. */
char *generation_root(const struct generation *g);

/* Give a file of the bundle to the container's root, who may be another user outside of its user
 * namespace. */
int generation_give(const struct generation *g, int bundle_fd, const char *name, struct error *err);

/* Put together what was kept apart. */
int generation_finish(struct generation *g, struct error *err);

/* Merge a patch into the finished configuration (RFC 7396). */
int generation_patch(struct generation *g, const json_t *patch, struct error *err);

/* The finished configuration, and its compact text with sorted keys, which the caller frees. What
 * the first returns is borrowed and can be changed; who wants only the second spares much of it. */
json_t *generation_config(struct generation *g);
char *generation_text(const struct generation *g);

/* Check the whole as validate does: ERROR_USAGE, or ERROR_INTEGRITY for what is wrong with the
 * template or a patch by itself. */
int generation_check(const struct generation *g, struct error *err);

/* ERROR_USAGE unless the text is UTF-8, which JSON needs. */
int generation_check_text(const char *text, const char *what, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the images of a registry really are: registries.conf, version 2, and registries.conf.d
 * (containers-registries.conf(5)). A [[registry]] applies to the names that its prefix begins; the
 * longest prefix counts.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct reference;
struct strings;

/* A place to ask for an image. */
struct endpoint {
	char *registry, *repository;
	char *wanted;  /* the tag or digest; NULL where the reference has neither */
	char *blocked; /* why it must not be asked; NULL where it may */
	bool is_mirror;
	bool insecure; /* plain http and any certificate will do */
};

/* The places for one reference in the order of asking: the mirrors that may serve it, then the
 * registry itself. */
struct route {
	struct endpoint *endpoints;
	size_t count;
};

/* Read the configuration and find the places for a reference. A source may be elsewhere (location,
 * mirrors); a destination is where its name says. ERROR_DENIED where the registry is blocked, and
 * no mirror may serve in its place. */
int registries_route(const struct reference *reference, bool is_destination, struct route *route,
		     struct error *err);
/* What is configured for a host, or for a path on it: ERROR_DENIED where it is blocked. */
int registries_judge(const char *name, bool *insecure, struct error *err);
/* The full names, with their registries, that a name without a transport may stand for, in the
 * order of trying: its own, if it names a registry; its alias; in the registries to search.
 * ERROR_USAGE where there are none, or several, and short-name-mode wants that to be an error. */
int registries_expand(const char *name, struct strings *candidates, struct error *err);
/* Where credentials are, in the order of looking: names of helpers (helper.h), and among them
 * CREDENTIAL_FILES for the usual files. */
#define CREDENTIAL_FILES "containers-auth.json"
int registries_credential_helpers(struct strings *names, struct error *err);
void route_free(struct route *route);
#define cleanup_route __attribute__((cleanup(route_free)))

/* The parts, without files. Read one file's text into `registries`, an object with a member for
 * each prefix: of two for one prefix the later file's counts, whole. */
int registries_add(json_t *registries, const char *text, size_t length, const char *what,
		   struct error *err);
int registries_find(const json_t *registries, const struct reference *reference,
		    bool is_destination, struct route *route, struct error *err);

/* What is added to a registry: the file and line that it is from. */
#define DEFINED_AT "defined at"
/* A member of `registries` beside the prefixes, which is none. */
#define CREDENTIAL_HELPERS "credential helpers"

/* Whether a prefix is "*.HOST". */
bool registries_is_wildcard(const char *prefix);

/* A location without slashes at its end, which mean nothing. The caller frees it. */
char *registries_trim(const char *location);

/* What is said of short names, in a file's root, is a member of `registries`, too. */
#define SHORT_NAMES "short names"
int registries_add_short_names(json_t *registries, const json_t *root, const char *what,
			       struct error *err);
int registries_expand_with(const json_t *registries, const char *name, struct strings *candidates,
			   struct error *err);

/* Add the aliases that podman has noted when it asked its user. */
int registries_load_noted(json_t *registries, struct error *err);

/* Read all files of the configuration that there are; the caller owns the result. */
json_t *registries_load(struct error *err);

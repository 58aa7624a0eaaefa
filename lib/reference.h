/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references as docker and podman write them: [REGISTRY/]REPOSITORY[:TAG][@DIGEST]. The
 * first component is a registry when it has "." or ":" or is "localhost"; otherwise the registry
 * is docker.io, where a single component stands below "library/". Grammar: distribution's
 * reference package and distribution-spec, "Pulling manifests". 64 hexadecimal digits alone are
 * none.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>

struct reference {
	char *registry;	  /* "docker.io", "localhost:5000" */
	char *repository; /* "library/nginx" */
	char *tag;	  /* NULL where none was given */
	char *digest;	  /* NULL where none was given */
};

/* Parse; ERROR_USAGE where it is not a reference. Free with reference_free(). No default tag is
 * put in: see reference_default_tag(). */
int reference_parse(const char *text, struct reference *reference, struct error *err);
void reference_free(struct reference *reference);
#define cleanup_reference __attribute__((cleanup(reference_free)))

/* Whether a text can be the tag of a reference. */
bool reference_is_tag(const char *text);

/* Give a reference without tag and digest the tag "latest". */
void reference_default_tag(struct reference *reference);

/* The same, and of a tag and a digest only the digest stays: then the tag says nothing. */
void reference_settle(struct reference *reference);

/* "docker.io/library/nginx:latest" (with @DIGEST where there is one); the caller frees it. */
char *reference_text(const struct reference *reference);

/* The part without tag and digest: "docker.io/library/nginx"; the caller frees it. */
char *reference_name(const struct reference *reference);

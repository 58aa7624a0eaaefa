/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the signatures of images in registries are (containers-registries.d(5)): beside the
 * registry, in a "lookaside" that is a directory or a web server, and in the registry as sigstore's
 * attachments.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

struct http;
struct reference;
struct registry;
struct signatures;

struct lookaside {
	char *read, *write;  /* URLs below which signatures are read and written */
	bool attachments;    /* use-sigstore-attachments */
	bool accept_unnamed; /* accept-bundles-without-identity */
};

/* Look an image up in the directory, which must exist; NULL: the first that exists of
 * ~/.config/containers/registries.d and /etc/containers/registries.d. Where nothing is said, the
 * lookaside is /var/lib/containers/sigstore, or ~/.local/share/containers/sigstore for everybody
 * but root. Free with lookaside_free(). */
int lookaside_find(const char *directory, const struct reference *reference,
		   struct lookaside *lookaside, struct error *err);
void lookaside_free(struct lookaside *lookaside);
#define cleanup_lookaside __attribute__((cleanup(lookaside_free)))

/* The parts, without files. Add one file's text to `sections`, an object: a scope may be there only
 * once. */
int lookaside_add(json_t *sections, const char *text, size_t length, const char *what,
		  struct error *err);
int lookaside_choose(const json_t *sections, const struct reference *reference,
		     struct lookaside *lookaside, struct error *err);

/* Read the signatures of the manifest with this digest. The registry lends its way of making calls,
 * and gives nothing of its credentials. */
int lookaside_read(const struct lookaside *lookaside, const struct reference *reference,
		   const char *digest, const struct registry *registry,
		   struct signatures *signatures, struct error *err);

/* Add those that stand where they are written and, not published yet, are not read. */
int lookaside_read_staged(const struct lookaside *lookaside, const struct reference *reference,
			  const char *digest, struct signatures *signatures, struct error *err);

/* See that signatures can be written there, as far as that can be told before: ERROR_UNSUPPORTED
 * for a web server. Where there is a directory for the manifest already, it may have what is
 * needed. */
int lookaside_check_write(const struct lookaside *lookaside, const struct reference *reference,
			  const char *digest, struct error *err);

/* Add those of the list that are OpenPGP messages and are not there yet. */
int lookaside_write(const struct lookaside *lookaside, const struct reference *reference,
		    const char *digest, const struct signatures *signatures, struct error *err);

/* Delete all that would be added to, of a manifest that is gone. Those on a web server stay. */
int lookaside_delete(const struct lookaside *lookaside, const struct reference *reference,
		     const char *digest, struct error *err);

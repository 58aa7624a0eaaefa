/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What manifests refer to, so that a blob or a layer can be told to be unused without reading all
 * manifests each time. What is known is kept in RUNROOT/manifests: it follows from the manifest's
 * digest alone, so it is never out of date, and anybody may delete it.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct layout;
struct store;

/* An index may hold others, but not deeper. */
enum { MANIFESTS_NESTING_MAX = 8 };

struct manifests {
	const struct store *store;
	const struct layout *layout;
	char *text;	/* the file, or NULL */
	json_t *places; /* where in the text a digest's words begin */
	json_t *words;	/* those of manifests that were read now */
	json_t *used;	/* set of digests that were asked for */
	bool changed;
};

/* Both are borrowed. With `afresh` nothing that was kept is believed. */
void manifests_open(struct manifests *manifests, const struct store *store,
		    const struct layout *layout, bool afresh);

/* Keeps what was asked for; that it cannot be kept is no error. */
void manifests_close(struct manifests *manifests);
#define cleanup_manifests __attribute__((cleanup(manifests_close)))

enum manifest_word_kind {
	MANIFEST_IMAGE = 'i',	/* digest: the image's id */
	MANIFEST_BLOB = 'b',	/* hex */
	MANIFEST_LAYER = 'l',	/* hex; each layer has one by its DiffID and one by its ChainID */
	MANIFEST_CHILD = 'm',	/* digest of a manifest in an index */
	MANIFEST_PARTIAL = 'p', /* nothing: a part was missing that may come later */
};

struct manifest_word {
	enum manifest_word_kind kind;
	const char *text; /* ends after `length` bytes */
	size_t length;
};

/* The words of a manifest, borrowed. NULL where it is not there or is damaged, of which there is a
 * warning, and *failed is false; else *failed is true and err is filled. */
const char *manifests_get(struct manifests *manifests, const char *digest, bool *failed,
			  struct error *err);

/* Take the next word; false at the end. */
bool manifests_next(const char **words, struct manifest_word *word);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer says of files (image-spec, layer.md), read from its tar as it passes by. The content
 * of files is hashed, not kept. */
#pragma once
#include "lib/error.h"
#include "skopeo-c/tar.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LAYER_FILES_MAX = 1 << 18, /* members of one layer */
	LAYER_TEXT_MAX = 32 << 20  /* bytes of their names, link targets and attributes */
};

struct layer_file {
	char *path; /* "etc/passwd"; "" is the root; of a whiteout what it removes */
	enum { LAYER_MEMBER, LAYER_WHITEOUT, LAYER_OPAQUE } kind;
	char type;  /* as in tar.h */
	char *link; /* of a link, as it stands there; else NULL */
	int64_t mode, uid, gid, major, minor, size;
	char digest[sizeof "sha256:" + 64]; /* of a regular file's content, else "" */
	json_t *attributes;		    /* the extended ones, in Base64; NULL: none */
};

struct layer_files {
	struct layer_file *items; /* as they follow each other in the layer */
	size_t count;
};

void layer_files_free(struct layer_files *files);

struct layer_reader;

/* Work is done in a thread of its own. */
struct layer_reader *layer_reader_new(struct error *err);
/* A byte sink, for the layer as it is, compressed or not. */
int layer_reader_write(void *reader, const void *data, size_t length, struct error *err);
/* ERROR_INTEGRITY where the layer is cut off. `files` is the caller's to free. */
int layer_reader_finish(struct layer_reader *reader, struct layer_files *files, struct error *err);
void layer_reader_free(struct layer_reader *reader);

/* "./etc//passwd" as "etc/passwd", and likewise targets of hard links. ERROR_INTEGRITY for a name
 * with "..". The caller frees it. */
char *layer_path(const char *name, struct error *err);

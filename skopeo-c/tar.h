/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar archives that images are carried in, as far as these need it: names, sizes and content of
 * regular files, and links. Read are ustar, GNU's long names and sizes, and of PAX what a member of
 * this header has.
 * Own code rather than libarchive, for two reasons: blobs are read and written in parallel at their
 * places in the archive, for which the places have to be known, and verbs that need no archive do
 * not load one. Pure: bytes in, members out, and back.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TAR_BLOCK = 512,
	TAR_NAME_MAX = 4096,	  /* bytes */
	TAR_RECORDS_MAX = 1 << 20 /* bytes of the PAX records of one member */
};

/* An extended attribute. */
struct tar_attribute {
	char *name, *value;
	size_t length; /* of the value */
};

struct tar_member {
	const char *name, *link; /* link: of a link, else "" */
	char type;		 /* '0' a file, '1' a hard link, '2' a symbolic one, and others */
	int64_t size;		 /* of its content */
	int64_t offset;		 /* of its content in the archive */
	int64_t mode, uid, gid;	 /* -1: what stands there is no number */
	int64_t major, minor;	 /* of a device */
	const struct tar_attribute *attributes;
	size_t attribute_count;
};

/* Whether a block of TAR_BLOCK bytes can be the first of a tar: a header, or zeroes. */
bool tar_is_header(const unsigned char *block);

struct tar_parser;

/* Members are told when they begin; `data`, which may be NULL, is given their content. */
struct tar_parser *
tar_parser_new(int (*member)(void *context, const struct tar_member *member, struct error *err),
	       int (*data)(void *context, const void *data, size_t length, struct error *err),
	       void *context);

/* A byte sink: take the next bytes of the archive. What follows its end is passed over. */
int tar_parse(void *parser, const void *data, size_t length, struct error *err);

/* How many of the next bytes are only content and padding, which may be passed over by
 * tar_skip() instead of being given. */
int64_t tar_skippable(const struct tar_parser *parser);
void tar_skip(struct tar_parser *parser, int64_t length);

/* ERROR_INTEGRITY where the archive is cut off. */
int tar_parse_end(const struct tar_parser *parser, struct error *err);
bool tar_at_end(const struct tar_parser *parser);
void tar_parser_free(struct tar_parser *parser);

enum { TAR_HEADER_MAX = 4 * TAR_BLOCK };

/* The header of a regular file that is everybody's to read, as old as time. Returns its length, a
 * number of blocks. A name has at most 200 bytes. */
size_t tar_header(const char *name, int64_t size, unsigned char header[static TAR_HEADER_MAX]);

/* The header of a symbolic link, likewise; neither name nor target over 100 bytes. */
size_t tar_link_header(const char *name, const char *target,
		       unsigned char header[static TAR_HEADER_MAX]);

/* Bytes of content with its padding. */
int64_t tar_padded(int64_t size);

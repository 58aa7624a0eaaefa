/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a layer's entries: bytes from outside become paths beneath the layer's root, or are
 * refused. Pure functions (image-spec, layer.md, "Whiteouts"). */
#pragma once
#include "lib/error.h"

#include <stddef.h>

#define NAME_WHITEOUT_MARK ".wh."
#define NAME_AUFS_LINKS	   ".wh..wh.plnk"

enum {
	NAME_PATH_MAX = 4095, /* bytes of a path; this bounds the depth as well */
	NAME_LEAF_MAX = 255,
	NAME_WHITEOUT_LENGTH = sizeof NAME_WHITEOUT_MARK - 1
};

enum name_kind {
	NAME_ROOT,     /* the layer's topmost directory */
	NAME_ENTRY,    /* something to create */
	NAME_WHITEOUT, /* ".wh.NAME": NAME of a lower layer is hidden; the leaf is NAME */
	NAME_OPAQUE,   /* ".wh..wh..opq": all that lower layers have in `parent` is hidden */
	NAME_LINKED,   /* in NAME_AUFS_LINKS: hard links may point to it until the layer is whole */
	NAME_IGNORED   /* other ".wh..wh.…": book-keeping of AUFS */
};

/* "parent/leaf", without leading or trailing slashes; parent is "" for the topmost directory. */
struct name {
	enum name_kind kind;
	char parent[NAME_PATH_MAX + 1];
	char leaf[NAME_WHITEOUT_LENGTH + NAME_LEAF_MAX + 1]; /* the mark only while it is parsed */
};

/* Parse the name of an entry. Leading "/", "./" and empty components mean nothing; "..", and what
 * is too long for a path, is ERROR_INTEGRITY naming the entry. A whiteout may be longer than a path
 * by its mark: the longest names can be hidden, too. */
int name_parse(const char *text, struct name *name, struct error *err);

/* The same for the target of a hard link, in which ".wh." means nothing. */
int name_parse_target(const char *text, struct name *name, struct error *err);

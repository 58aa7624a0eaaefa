/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes of files (xattr(7)). */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct xattr {
	const char *name;
	unsigned char *value; /* may be changed and, up to 64 KiB, made longer */
	size_t size;
};

/* Called for each attribute; -1 ends it. */
typedef int xattr_visit(const struct xattr *xattr, void *context, struct error *err);

/* All of an open file, by their names: the kernel's own order follows the history of the file. None
 * where the file system has none. */
int xattrs_each(int fd, xattr_visit *visit, void *context, struct error *err);

/* One that adds it to the hash that is the context, a struct hasher. */
xattr_visit xattr_hash;

/* Whether it is one of those that layers hold: user.* but for overlayfs' own, file capabilities. */
bool xattr_is_kept(const char *name);
bool xattr_is_capability(const char *name);

/* Make capabilities that count only below the root user of one user namespace (version 3,
 * capabilities(7)) those of any root user, as in an image (version 2, which lacks that user's id at
 * the end). Returns the value's size. */
size_t xattr_unbind_capability(unsigned char *value, size_t size);

/* Whether overlayfs shows nothing of lower layers in an open directory: 1 or 0. */
int xattr_is_opaque(int fd, struct error *err);

/* Give it to an open file. */
int xattr_set(int fd, const struct xattr *xattr, struct error *err);

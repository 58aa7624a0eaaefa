/* SPDX-License-Identifier: Apache-2.0 */
/* Unnamed files for blobs that are made here, before their digest is known. */
#pragma once
#include "lib/error.h"

/* A new file in `directory`, or, for NULL, in $TMPDIR (/var/tmp). It is locked as new files of
 * destinations are, so that it can become one. */
int spool_open(const char *directory, struct error *err);

/* Where such files are best made for a destination, "oci:/a/b:c": on the file system on which they
 * are going to stay. NULL where that is none. The caller frees it. */
char *spool_directory_for(const char *destination, const char *root);

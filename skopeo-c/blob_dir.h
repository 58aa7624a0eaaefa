/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of blobs that several OCI layouts share (skopeo's --…-shared-blob-dir):
 * DIR/ALGORITHM/HEX, as in the directory blobs/ of a layout. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* create: make what is missing. Returns a descriptor. */
int blob_dir_open(const char *path, bool create, struct error *err);

bool blob_dir_has(int fd, const char *digest, json_int_t size);

/* Returns a descriptor of the blob, for reading. */
int blob_dir_open_blob(int fd, const char *digest, struct error *err);

/* Put the file `name` of new_fd, on the same file system, in place as the blob. */
int blob_dir_adopt(int fd, int new_fd, const char *name, const char *digest, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The tar archive of a checkpoint, as other engines make it of a container. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

/* Write it to a descriptor, which `what` names in errors: the documents, by their names; the log, a
 * path or NULL, as container.log; and of the directory what CRIU has written to checkpoint/, and
 * rootfs-diff.tar. Those files are removed as soon as they are in the archive. */
int checkpoint_archive(int fd, const char *what, const json_t *documents, const char *log,
		       int directory_fd, struct error *err);

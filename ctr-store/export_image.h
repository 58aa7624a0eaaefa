/* SPDX-License-Identifier: Apache-2.0 */
/* An archive that becomes an EROFS image while it is written, by a worker that is confined as for
 * unpacking. */
#pragma once
#include "ctr-store/unpack_worker.h"
#include "lib/tar_writer.h"

struct staging;

struct export_image {
	struct tar_writer tar; /* write to it, up to tar_finish() */
	struct unpack_worker worker;
	int pipe_fd;
};

#define EXPORT_IMAGE_NONE                                                                          \
	(struct export_image)                                                                      \
	{                                                                                          \
		.worker = UNPACK_WORKER_NONE, .pipe_fd = -1                                        \
	}

/* The image goes to the empty file image_fd. */
int export_image_start(const struct staging *staging, int image_fd, struct export_image *export,
		       struct error *err);

/* Wait until the image is whole. `written` is what came of writing the archive, and err then says
 * why it failed, unless the worker was the reason. */
int export_image_finish(struct export_image *export, int written, struct error *err);

void export_image_end(struct export_image *export);
#define cleanup_export_image __attribute__((cleanup(export_image_end)))

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/export_image.h"

#include "lib/cleanup.h"
#include "lib/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int export_image_start(const struct staging *staging, int image_fd, struct export_image *export,
		       struct error *err)
{
	int ends[2];

	if (mkdirat(staging->fd, "empty", 0700) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "cannot start the export");
	cleanup_fd int blob_fd = ends[0];
	cleanup_fd int empty_fd = openat(staging->fd, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	export->pipe_fd = ends[1];
	export->tar = (struct tar_writer){ .fd = ends[1], .what = "the image" };
	if (empty_fd < 0)
		return error_os(err, "cannot start the export");
	const struct unpack_task task = { .blob_fd = blob_fd,
					  .diff_fd = empty_fd,
					  .image_fd = image_fd };
	return unpack_worker_start(&task, &export->worker, err);
}

int export_image_finish(struct export_image *export, int written, struct error *err)
{
	/* without a reader it is the worker that failed, and says why */
	if (written < 0 && err->os != EPIPE)
		return -1;
	close(steal_fd(&export->pipe_fd));
	json_auto_t *report = unpack_worker_wait(&export->worker, err);
	return report ? 0 : -1;
}

void export_image_end(struct export_image *export)
{
	cleanup_fd_p(&export->pipe_fd);
	unpack_worker_end(&export->worker);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_file.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int log_file_open(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *directory = xstrndup(path, (size_t)(slash - path));
	struct stat status;

	if (directory[0] && path_make_dirs(directory, 0755, err) < 0)
		return error_prefix(err, "log");

	/* without waiting, should it be a FIFO */
	cleanup_fd int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd < 0)
		return error_os(err, "log %s", path);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(err, ERROR_USAGE, "log %s is not a file", path);
	return steal_fd(&fd);
}

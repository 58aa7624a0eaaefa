/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/watch.h"

#include <errno.h>
#include <sys/inotify.h>

int watch_open(int flags, struct error *err)
{
	int fd = inotify_init1(flags);

	if (fd >= 0 || errno != EMFILE)
		return fd < 0 ? error_os(err, "inotify") : fd;
	error_set(err, ERROR_LIMIT, "too many programs watch files, or too many files are open");
	return error_hint(err, "raise fs.inotify.max_user_instances");
}

int watch_add(int fd, const char *path, uint32_t events, struct error *err)
{
	int number = inotify_add_watch(fd, path, events);

	if (number >= 0 || errno != ENOSPC)
		return number < 0 ? error_os(err, "watching %s", path) : number;
	error_set(err, ERROR_LIMIT, "%s cannot be watched: too many files are", path);
	return error_hint(err, "raise fs.inotify.max_user_watches");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_address.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { URL_MAX = 256 };

int stream_address_publish(const char *runroot, const char *url, int *fd, struct error *err)
{
	cleanup_free char *dir = xasprintf("%s/streams", runroot);
	cleanup_free char *path = xasprintf("%s/server", dir);
	struct error why = { 0 };

	if (path_make_dirs(dir, 0700, err) < 0)
		return -1;

	cleanup_fd int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return error_os(err, "%s", path);
	if (lock_file(file, LOCK_EXCLUSIVE, false, path, &why) < 0) {
		if (why.kind == ERROR_IN_USE)
			return 0;
		*err = why;
		return -1;
	}
	if (ftruncate(file, 0) < 0)
		return error_os(err, "%s", path);
	if (file_write_fd(file, url, strlen(url), path, err) < 0)
		return -1;
	*fd = steal_fd(&file);
	return 0;
}

char *stream_address_find(const char *runroot, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/streams/server", runroot);
	cleanup_fd int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct error why = { 0 };
	size_t length;

	if (file >= 0 && lock_file(file, LOCK_SHARED, false, path, &why) < 0 &&
	    why.kind == ERROR_IN_USE)
		return file_read_fd(file, URL_MAX, &length, path, err);
	error_set(err, ERROR_NOT_FOUND, "no streaming server runs with this --runroot");
	error_hint(err, "start ocid-dispatch serve, or run ocid-shim exec or attach directly");
	return NULL;
}

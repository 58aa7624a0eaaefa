/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/blob_sink.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/unfinished.h"
#include "skopeo-c/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_file(struct blob_sink *sink)
{
	struct stat st;
	bool keep = sink->is_partial && fstat(sink->fd, &st) == 0 && st.st_size >= PARTIAL_MIN;

	/* before its lock goes with the descriptor */
	if (sink->temporary[0] && !keep)
		unlinkat(sink->dir_fd, sink->temporary, 0);
	cleanup_fd_p(&sink->fd);
}

void blob_sink_close(struct blob_sink *sink)
{
	close_file(sink);
	registry_call_free(&sink->call);
	upload_free(sink->upload);
	*sink = BLOB_SINK_NONE;
}

/* A new file is locked from its beginning, so that one without a lock is nobody's any more. Where
 * the file system has no locks it is never swept. */
static void lock_new_file(int fd)
{
	struct error ignored;

	(void)lock_file(fd, LOCK_EXCLUSIVE, false, "new file", &ignored);
}

bool blob_sink_open_partial(struct blob_sink *sink, const struct blob *blob)
{
	char name[PARTIAL_NAME_SIZE];

	if (sink->partials_fd < 0 || blob->size < PARTIAL_MIN)
		return false;
	int fd = partial_open(sink->partials_fd, blob->digest, name);
	if (fd < 0)
		return false;
	close_file(sink);
	sink->fd = fd;
	sink->dir_fd = sink->partials_fd;
	memcpy(sink->temporary, name, sizeof name);
	sink->is_partial = true;
	return true;
}

static int make_named_file(struct blob_sink *sink, struct error *err)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	snprintf(sink->temporary, sizeof sink->temporary, UNFINISHED_PREFIX "%s", unique);
	sink->fd =
		openat(sink->dir_fd, sink->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (sink->fd >= 0)
		return 0;
	error_os(err, "cannot make a file");
	sink->temporary[0] = '\0';
	return -1;
}

int blob_sink_open_file(struct blob_sink *sink, int dir_fd, struct error *err)
{
	sink->temporary[0] = '\0';
	sink->dir_fd = dir_fd;
	sink->fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (sink->fd >= 0) {
		lock_new_file(sink->fd);
		return 0;
	}
	/* a file system without them (NFS) */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return error_os(err, "cannot make a file");
	if (make_named_file(sink, err) < 0)
		return -1;
	lock_new_file(sink->fd);
	return 0;
}

int blob_sink_name_file(struct blob_sink *sink, struct error *err)
{
	char unique[RANDOM_NAME_SIZE], name[sizeof sink->temporary];

	if (fchmod(sink->fd, 0644) < 0)
		return error_os(err, "cannot finish a file");
	if (sink->temporary[0])
		return 0;
	random_name(unique);
	snprintf(name, sizeof name, UNFINISHED_PREFIX "%s", unique);
	if (file_link(sink->fd, sink->dir_fd, name) < 0)
		return error_os(err, "cannot name a file");
	snprintf(sink->temporary, sizeof sink->temporary, "%s", name);
	return 0;
}

void blob_sink_keep_file(struct blob_sink *sink)
{
	sink->temporary[0] = '\0';
}

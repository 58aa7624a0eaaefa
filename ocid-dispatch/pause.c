/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pause.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/process.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/records.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX = 64, KILL_MS = 10000 };

static char *pin_path(const struct records *records, const char *id)
{
	return xasprintf("%s/pods/%s/pidns", records->store.runroot, id);
}

int pause_start(const struct rpc_context *context, const struct records *records, const char *id,
		json_t *namespaces, struct error *err)
{
	/* that of users first: the others belong to it */
	static const char *const types[] = { "user", "ipc", "uts", "network", NULL };
	cleanup_pipeline struct pipeline pipeline = { 0 };
	cleanup_free char *pin = pin_path(records, id);
	cleanup_free char *file = xasprintf("%s/pods/%s/pause", records->store.runroot, id);
	struct strings *words = pipeline_add(&pipeline, "ocid-pause", pin, file, NULL);

	for (const char *const *type = types; *type; type++) {
		const char *path = json_string_value(json_object_get(namespaces, *type));

		if (path)
			strings_add(words, path);
	}
	if (pipeline_run(&pipeline, context, err) < 0)
		return -1;
	json_object_set_new(namespaces, "pid", json_string(pin));
	return 0;
}

/* 1 with its process id, if that still is the process that was recorded; 0: it is not; -1: that
 * cannot be told. */
static int find(const struct records *records, const char *id, pid_t *found, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/pause", id);
	struct error failure;
	size_t length;
	cleanup_free char *text =
		file_read_at(records->run_pods_fd, path, FILE_MAX, &length, &failure);
	char *end = NULL;

	if (!text && failure.kind != ERROR_NOT_FOUND) {
		*err = failure;
		return -1;
	}
	long pid = text ? strtol(text, &end, 10) : 0;
	if (pid <= 1)
		return 0;
	*found = (pid_t)pid;
	return process_lives(*found, strtoll(end, NULL, 10), err);
}

bool pause_lives(const struct records *records, const char *id)
{
	struct error ignored;
	pid_t pid;

	return find(records, id, &pid, &ignored) != 0;
}

static int kill_and_wait(const struct records *records, const char *id, pid_t pid,
			 struct error *err)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { fd, POLLIN, 0 };
	pid_t now;

	/* EINVAL: the number is a thread's by now */
	if (fd < 0)
		return errno == ESRCH || errno == EINVAL
			       ? 0
			       : error_os(err, "the pause process of pod %s", id);
	/* after the open, which may have got another process of that number */
	int lives = find(records, id, &now, err);
	if (lives <= 0 || now != pid)
		return lives < 0 ? -1 : 0;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return error_os(err, "the pause process of pod %s", id);
	if (poll(&ended, 1, KILL_MS) == 1)
		return 0;
	return error_set(err, ERROR_TEMPORARY, "the pause process of pod %s does not end", id);
}

int pause_end(const struct records *records, const char *id, struct error *err)
{
	cleanup_free char *pin = pin_path(records, id);
	pid_t pid;
	int lives = find(records, id, &pid, err);

	if (lives < 0 || (lives > 0 && kill_and_wait(records, id, pid, err) < 0))
		return -1;
	while (umount2(pin, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_os(err, "cannot unmount %s", pin);
	unlink(pin);
	return 0;
}

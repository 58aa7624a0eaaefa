/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/running.h"

#include "ctr-store/container_facts.h"
#include "ctr-store/mountinfo.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/running.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { PID_FILE_MAX = 64 };

/* What cannot be looked at, for want of descriptors, is taken to run: here and below. */
static bool has_monitor(const struct store *store, const char *id)
{
	cleanup_fd int fd = openat(store->run_containers_fd, id, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? errno != ENOENT : running_has_monitor(fd);
}

/* A container outlives a monitor that was killed. Process ids are used again, so the process named
 * by RUNROOT/containers/<id>/pid must also see a mount of this container, from a mount
 * namespace of its own. */
static bool has_process(const struct store *store, const char *id, const json_t *records)
{
	struct error failure;
	size_t i, length;
	const json_t *record;
	cleanup_free char *path = xasprintf("%s/pid", id);
	cleanup_free char *text =
		file_read_at(store->run_containers_fd, path, PID_FILE_MAX, &length, &failure);
	long pid = text ? strtol(text, NULL, 10) : 0;
	cleanup_mount_table struct mount_table table = { 0 };

	if (!text)
		return failure.kind != ERROR_NOT_FOUND;
	if (pid <= 0 || mount_namespace((pid_t)pid) == mount_namespace(0))
		return false;
	if (mount_table_read((pid_t)pid, &table, &failure) < 0)
		return failure.kind != ERROR_NOT_FOUND;
	json_array_foreach (records, i, record) {
		if (mount_table_has(&table, json_text(record, "source", ""), NULL))
			return true;
	}
	return false;
}

bool running_is(const struct store *store, const char *id, const json_t *records)
{
	return has_monitor(store, id) || has_process(store, id, records);
}

int running_refuse(const struct store *store, const json_t *container, const json_t *records,
		   struct error *err)
{
	const char *id = json_text(container, "id", "");

	if (!running_is(store, id, records))
		return 0;
	error_set(err, ERROR_IN_USE, "container %s is running", container_label(container));
	return error_hint(err, "ocid-shim stop %s", id);
}

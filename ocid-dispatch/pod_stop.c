/* SPDX-License-Identifier: Apache-2.0 */
/* StopPodSandbox and RemovePodSandbox. What is not there is no error for either. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pause.h"
#include "ocid-dispatch/pod_names.h"
#include "ocid-dispatch/pod_network.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int remove_shm(const struct rpc_context *context, const struct records *records,
		      const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/pods/%s/shm", records->store.runroot, id);

	trace_command(context, "umount", "-l", path, NULL);
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_os(err, "cannot unmount %s", path);
	return 0;
}

/* All of it that is not on the disk. */
static int take_down(const struct rpc_context *context, const struct records *records,
		     const char *id, struct error *err)
{
	if (pause_end(records, id, err) < 0 || remove_shm(context, records, id, err) < 0 ||
	    pod_network_remove(context, id, err) < 0)
		return -1;
	return path_remove_tree(records->run_pods_fd, id, err);
}

/* End what runs in it and give back its network; it stays known. Again is no error. `document` is
 * NULL where it is damaged. The caller holds the lock, exclusively. */
static int stop(const struct rpc_context *context, const struct records *records, const char *id,
		json_t *document, struct error *err)
{
	/* from here on it is not ready any more, whatever happens to us */
	if (strcmp(pod_stage(document), "ready") == 0 &&
	    records_forgive_unwritable(
		    pod_write(records, document, "stopped", RECORD_VOLATILE, err), err) < 0)
		return -1;
	if (container_end_all(context, records, id, err) < 0)
		return -1;
	return take_down(context, records, id, err);
}

/* The document goes first: what is left of the directory is then nothing to anybody. */
static int forget(const struct records *records, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/document.json", id);

	if (unlinkat(records->pods_fd, path, 0) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove pod %s", id);
	if (path_remove_tree(records->pods_fd, id, err) < 0)
		return -1;
	lock_discard(records->store.locks_fd, "pod", id);
	return 0;
}

int pod_remove(const struct rpc_context *context, const struct records *records, const char *id,
	       struct error *err)
{
	struct error ignored;
	json_auto_t *document = pod_read(records, id, &ignored);

	if (document &&
	    records_forgive_unwritable(
		    pod_write(records, document, "removing", RECORD_VOLATILE, err), err) < 0)
		return -1;
	if (container_remove_all(context, records, id, err) < 0 ||
	    take_down(context, records, id, err) < 0)
		return -1;
	if (document)
		pod_name_drop(records, json_path(document, "cri", "pod", NULL), id);
	return forget(records, id, err);
}

/* The pod that a request names, locked. 0, *id stays NULL, when there is none. */
static int take(const struct records *records, const json_t *request, char **id, int *lock,
		struct error *err)
{
	const char *text = json_text(request, "podSandboxId", "");
	struct error why = { 0 };
	cleanup_free char *found = pod_find(records, text, &why);

	if (!found && why.kind == ERROR_NOT_FOUND)
		return 0;
	if (!found) {
		*err = why;
		return -1;
	}
	*lock = pod_lock(records, found, LOCK_EXCLUSIVE, true, err);
	if (*lock < 0)
		return -1;
	/* who held it before us may have removed the pod */
	if (faccessat(records->pods_fd, found, F_OK, 0) < 0)
		lock_discard(records->store.locks_fd, "pod", found);
	else
		*id = steal_ptr(&found);
	return 0;
}

int pods_stop(const struct rpc_context *context, const json_t *request, json_t **response,
	      struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_free char *id = NULL;
	cleanup_fd int lock = -1;
	struct error why = { 0 };

	if (records_open(context, &records, err) < 0 ||
	    take(&records, request, &id, &lock, err) < 0)
		return -1;
	json_auto_t *document = id ? pod_read(&records, id, &why) : NULL;
	/* a damaged document tells nothing, and what runs has to end nevertheless */
	bool is_damaged = why.kind == ERROR_INTEGRITY;
	if (id && !document && !is_damaged && why.kind != ERROR_NOT_FOUND) {
		*err = why;
		return -1;
	}
	if ((document || is_damaged) && stop(context, &records, id, document, err) < 0)
		return -1;
	*response = json_object();
	return 0;
}

int pods_remove(const struct rpc_context *context, const json_t *request, json_t **response,
		struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_free char *id = NULL;
	cleanup_fd int lock = -1;

	if (records_open(context, &records, err) < 0 ||
	    take(&records, request, &id, &lock, err) < 0 ||
	    (id && pod_remove(context, &records, id, err) < 0))
		return -1;
	*response = json_object();
	return 0;
}

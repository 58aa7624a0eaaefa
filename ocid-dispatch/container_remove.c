/* SPDX-License-Identifier: Apache-2.0 */
/* Ending and removing containers, one or all of a pod. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_images.h"
#include "ocid-dispatch/container_restore.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Run one tool, for which it is no error that the container is not there. */
static int run(struct pipeline *pipeline, const struct rpc_context *context, struct error *err)
{
	struct error why = { 0 };

	if (pipeline_run(pipeline, context, &why) == 0 || why.kind == ERROR_NOT_FOUND)
		return 0;
	*err = why;
	return -1;
}

int container_remove(const struct rpc_context *context, const struct records *records,
		     const struct named *named, struct error *err)
{
	cleanup_pipeline struct pipeline shim = { 0 }, store = { 0 };
	cleanup_free char *path = xasprintf("%s/containers/%s.json", named->pod, named->id);
	struct error ignored;
	json_auto_t *record = container_read(records, named, &ignored);

	/* should this fail half way, it has not ended in another way */
	if (record)
		container_note_end(records, named);
	/* where nothing of it is left it must not seem one that can be started */
	int noted = record ? container_write(records, named->pod, record, "removing",
					     RECORD_VOLATILE, err)
			   : 0;
	if (records_forgive_unwritable(noted, err) < 0)
		return -1;
	pipeline_add(&shim, "ocid-shim", "rm", "--force", named->id, NULL);
	pipeline_add(&store, "ctr-store", "rm", "--container", "--force", named->id, NULL);
	if (run(&shim, context, err) < 0 || run(&store, context, err) < 0 ||
	    container_images_unmount(context, records, named, err) < 0)
		return -1;
	const char *imported = json_text(record, "importedImage", NULL);
	if (imported)
		restore_drop(context, imported);
	/* the record goes last: it is what finds the rest */
	if (container_drop_end(records, named, err) < 0)
		return -1;
	if (unlinkat(records->pods_fd, path, 0) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove container %s", named->id);
	lock_discard(records->store.locks_fd, "cri", named->id);
	return 0;
}

int container_remove_all(const struct rpc_context *context, const struct records *records,
			 const char *pod, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (container_ids(records, pod, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		const struct named named = { ids.items[i], (char *)pod };
		cleanup_fd int lock = container_lock(records, named.id, true, err);

		if (lock < 0 || container_remove(context, records, &named, err) < 0)
			return -1;
	}
	return 0;
}

/* One that was not started is not any more, but that it may have been meanwhile: *state is what it
 * is then. */
static int give_up(const struct records *records, const struct named *named,
		   enum container_state *state, struct error *err)
{
	cleanup_fd int lock = container_lock(records, named->id, true, err);

	if (lock < 0)
		return -1;
	*state = container_state(records, named);
	if (*state != CONTAINER_CREATED)
		return 0;
	*state = CONTAINER_EXITED;
	return records_forgive_unwritable(
		container_fail(records, named, "it was stopped before it was started", err), err);
}

int container_stop(const struct rpc_context *context, const struct records *records,
		   const struct named *named, int timeout_s, struct error *err)
{
	enum container_state state = container_state(records, named);
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct error why = { 0 };

	if (state == CONTAINER_CREATED && give_up(records, named, &state, err) < 0)
		return -1;
	if (state == CONTAINER_EXITED)
		return 0;
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", "stop", "--timeout", NULL);
	strings_addf(words, "%d", timeout_s);
	strings_add(words, named->id);
	/* somebody else may have stopped and removed it meanwhile */
	if (run(&pipeline, context, &why) == 0 ||
	    container_state(records, named) == CONTAINER_EXITED)
		return 0;
	*err = why;
	return -1;
}

int container_end_all(const struct rpc_context *context, const struct records *records,
		      const char *pod, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (container_ids(records, pod, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		const struct named named = { ids.items[i], (char *)pod };

		if (container_stop(context, records, &named, 0, err) < 0)
			return -1;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ending and removing containers, one or all of a pod. */
#include "ocid-dispatch/containers.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "ocid-dispatch/container_images.h"
#include "ocid-dispatch/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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
	cleanup_free char *message = xasprintf("%s/containers/%s.pb", named->pod, named->id);

	pipeline_add(&shim, "ocid-shim", "rm", "--force", named->id, NULL);
	pipeline_add(&store, "ctr-store", "rm", "--container", "--force", named->id, NULL);
	if (run(&shim, context, err) < 0 || run(&store, context, err) < 0 ||
	    container_images_unmount(context, records, named, err) < 0)
		return -1;
	/* the record goes last: it is what finds the rest */
	if (unlinkat(records->pods_fd, message, 0) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove container %s", named->id);
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

int container_stop(const struct rpc_context *context, const struct records *records, const char *id,
		   int timeout_s, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct error why = { 0 };

	if (container_state(records, id) == CONTAINER_EXITED)
		return 0;
	struct strings *words = pipeline_add(&pipeline, "ocid-shim", "stop", "--timeout", NULL);
	strings_addf(words, "%d", timeout_s);
	strings_add(words, id);
	/* somebody else may have stopped and removed it meanwhile */
	if (run(&pipeline, context, &why) == 0 || container_state(records, id) == CONTAINER_EXITED)
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
	for (size_t i = 0; i < ids.count; i++)
		if (container_stop(context, records, ids.items[i], 0, err) < 0)
			return -1;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CheckpointContainer: ocid-shim checkpoint, which runs ctr-store diff while the container is
 * paused, so that files and processes are of one moment; then all of it as one archive.
 */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output_file.h"
#include "lib/spawn.h"
#include "lib/staging.h"
#include "ocid-dispatch/checkpoint_archive.h"
#include "ocid-dispatch/checkpoint_documents.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/grpc.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/trace.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MAX = 1000000000, ARCHIVE_MODE = 0600 }; /* seconds; it holds all memory */

struct question {
	const char *container, *location;
	long long timeout; /* seconds; 0: none of its own */
};

static int ask(const json_t *request, struct question *question, struct error *err)
{
	*question = (struct question){
		.container = json_text(request, "containerId", ""),
		.location = json_text(request, "location", ""),
		.timeout = strtoll(json_text(request, "timeout", "0"), NULL, 10),
	};
	if (question->location[0] != '/')
		return error_set(err, ERROR_USAGE,
				 "the location of the archive is no absolute path: \"%s\"",
				 question->location);
	if (question->timeout < 0 || question->timeout > TIMEOUT_MAX)
		return error_set(err, ERROR_USAGE, "the timeout must be 0 to %d seconds",
				 TIMEOUT_MAX);
	return 0;
}

/* Into the directory: checkpoint/ and rootfs-diff.tar. */
static int save(const struct rpc_context *context, const char *id, const struct staging *staging,
		struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	cleanup_free char *images = xasprintf("%s/tmp/%s/checkpoint", context->root, staging->name);
	cleanup_free char *difference =
		xasprintf("%s/tmp/%s/rootfs-diff.tar", context->root, staging->name);
	cleanup_free char *store = spawn_tool_path("ctr-store");
	cleanup_fd int fd = openat(staging->fd, "rootfs-diff.tar",
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, ARCHIVE_MODE);

	if (fd < 0)
		return error_os(err, "%s", difference);
	pipeline.output_fd = fd;
	pipeline.output = difference;
	pipeline_add(&pipeline, "ocid-shim", "checkpoint", "--leave-running", id, images, "--",
		     store, "diff", id, NULL);
	if (pipeline_run(&pipeline, context, err) == 0)
		return 0;
	if (strstr(err->hint, staging->name))
		err->hint[0] = '\0'; /* it does not stay */
	return -1;
}

static int checkpoint(const struct rpc_context *context, const struct records *records,
		      const struct named *named, const char *location, struct error *err)
{
	cleanup_output_file struct output_file file = OUTPUT_FILE_NONE;
	cleanup_staging struct staging staging = { .fd = -1, .lock_fd = -1 };
	cleanup_free char *log = NULL;

	/* one at a time: the first to end would let the container go on */
	cleanup_fd int lock = container_lock(records, named->id, true, err);
	if (lock < 0)
		return -1;
	if (container_state(records, named) != CONTAINER_RUNNING)
		return error_set(err, ERROR_IN_USE, "the container %s does not run", named->id);
	/* first, so that the container is not paused for what cannot be written */
	if (output_file_open(location, ARCHIVE_MODE, &file, err) < 0 ||
	    staging_open(&records->store, &staging, err) < 0 ||
	    save(context, named->id, &staging, err) < 0)
		return -1;
	json_auto_t *documents = checkpoint_documents(context, records, named, &log, err);
	if (!documents)
		return -1;
	trace_command(context, "tar", "-cf", location, "...", NULL);
	return checkpoint_archive(file.fd, location, documents, log, staging.fd, err) < 0
		       ? -1
		       : output_file_publish(&file, err);
}

int containers_checkpoint(const struct rpc_context *context, const json_t *request,
			  json_t **response, struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_named struct named named = { 0 };
	struct question question;

	if (ask(request, &question, err) < 0 || records_open(context, &records, err) < 0 ||
	    container_find(&records, question.container, &named, err) < 0)
		return -1;
	if (question.timeout > 0)
		cli_limit_time(question.timeout * 1000);
	if (checkpoint(context, &records, &named, question.location, err) < 0) {
		if (cli_interrupted() != SIGALRM)
			return -1;
		cli_interrupt_take();
		return error_set(err, (enum error_kind)ERROR_TIMEOUT,
				 "the checkpoint was not made within %lld seconds",
				 question.timeout);
	}
	*response = json_object();
	return 0;
}

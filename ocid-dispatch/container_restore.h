/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that are made of a checkpoint: of an image whose layers hold what an archive of
 * CheckpointContainer does, or of such an archive itself. Whoever has made it says what runs, and
 * with which rights, whatever the pod says; so the configuration must allow it.
 *
 * The image is mounted like the container's volumes, at RUNROOT/pods/POD/images/ID/checkpoint,
 * which is how StartContainer knows. What the container had changed becomes layers on its own
 * image.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct named;
struct records;
struct rpc_context;

/* Zero-initialise; free with restoration_end(). */
struct restoration {
	json_t *config; /* its config.dump */
	json_t *image;	/* a row of `ctr-store image`: what it is of, with the added layers */
	struct strings layers; /* the ids of images that hold these until a container does */
};

/* Whether the image, a row of `ctr-store image`, is a checkpoint. */
bool restore_is_checkpoint(const json_t *row);

/* ERROR_DENIED unless it is allowed. */
int restore_check(const struct rpc_context *context, const char *name, struct error *err);

/* Make an image of an archive; the row is the caller's. */
int restore_import(const struct rpc_context *context, const char *path, json_t **row,
		   struct error *err);

/* Mount a checkpoint, an image's id, for the container, and find the image that it is of, or pull
 * it. `container` is the ContainerConfig, which must have the mounts that the checkpoint has. */
int restore_prepare(const struct rpc_context *context, const struct records *records,
		    const struct named *named, const char *checkpoint, const json_t *container,
		    struct restoration *restoration, struct error *err);

/* For `oci-gen generate` of such a container: have CRIU leave its cgroup as the runtime makes it,
 * instead of making the one where the processes were. The file that says so is written by
 * restore_configure() once the container is there. */
void restore_generate(const struct records *records, const char *id, struct strings *words);
int restore_configure(const struct records *records, const char *id, struct error *err);

/* Say in the container's record, as other engines do, that it was restored, from what. */
void restore_note(const struct restoration *restoration, const char *name, json_t *record);

void restoration_end(const struct rpc_context *context, struct restoration *restoration);

/* Remove an image that was made for this; what fails is logged. */
void restore_drop(const struct rpc_context *context, const char *id);

/* Where the processes of a container that is to be restored are; NULL for all others. The caller
 * frees it. */
char *restore_directory(const struct records *records, const struct named *named);

/* Let go of the checkpoint once the container runs: it can be removed, and an archive's image is.
 * What fails is logged, and done when the container is removed. */
void restore_release(const struct rpc_context *context, const struct records *records,
		     const struct named *named);

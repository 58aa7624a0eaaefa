/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/image.h"
#include "ctr-store/image_config.h"
#include "ctr-store/image_publish.h"
#include "ctr-store/upper.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/tar_writer.h"
#include "lib/timestamp.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct settings {
	const char *config;
};

static const struct cli_option options[] = {
	{ "config", 0, "FILE", OPTION_STRING, offsetof(struct settings, config),
	  "merge this JSON into the image configuration; - is stdin" },
	{ 0 },
};

struct commit {
	struct publication image;
	json_t *container;
	struct image base;
};

static void commit_free(struct commit *commit)
{
	publication_free(&commit->image);
	image_free(&commit->base);
	json_decref(commit->container);
}

/* ---- what it is made from ---- */

/* The image or a blob of it is missing. Where the container has layers of an additional store, the
 * rest will be there, too: one path of those is ROOT/layers/HEX/diff. */
static int hint_at_store(const json_t *container, struct error *err)
{
	const json_t *id;
	size_t i;

	json_array_foreach (json_object_get(container, "layers"), i, id) {
		const char *path = json_is_string(id) ? json_string_value(id) : "";
		size_t length = strlen(path);

		for (int names = 0; names < 3; names++)
			while (length > 0 && path[--length] != '/')
				;
		if (length > 0)
			return error_hint(err,
					  "it has layers of the store %.*s: name that in "
					  "OCID_ADDITIONAL_STORES",
					  (int)length, path);
	}
	return -1;
}

/* The image that the container was made from, and all its blobs, which are kept from here on. */
static int find_base(struct commit *commit, struct error *err)
{
	const char *digest = json_text(json_object_get(commit->container, "image"), "digest", "");

	image_scratch(&commit->base);
	if (strcmp(commit->base.digest, digest) == 0)
		return 0;
	image_free(&commit->base);
	if (image_find(&commit->image.store, digest, &commit->base, err) < 0) {
		error_prefix(err, "the image of container %s", container_label(commit->container));
		return err->kind == ERROR_NOT_FOUND ? hint_at_store(commit->container, err) : -1;
	}
	json_auto_t *references = image_references(&commit->base);
	if (staging_refer(&commit->image.staging, references, err) < 0)
		return -1;
	for (size_t i = 0; i < commit->base.layer_count; i++) {
		const char *blob = commit->base.layers[i].blob;

		if (layout_has_blob(&commit->image.layout, blob, -1))
			continue;
		error_set(err, ERROR_NOT_FOUND, "image %s: blob %s is missing",
			  image_label(&commit->base), blob);
		error_hint(err, "pull it again with skopeo-c copy");
		return hint_at_store(commit->container, err);
	}
	return 0;
}

/* ---- the layer ---- */

static int write_layer(struct commit *commit, struct error *err)
{
	cleanup_hasher struct hasher hasher = { 0 };
	cleanup_fd int fd = openat(commit->image.staging.fd, IMAGE_LAYER_FILE,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct tar_writer tar = { .fd = fd, .what = "the layer", .hasher = &hasher };
	size_t entries;

	if (fd < 0)
		return error_os(err, "the layer");
	hasher_start(&hasher, "sha256");
	if (upper_archive(&commit->image.store, commit->container, &tar, &entries, err) < 0 ||
	    tar_finish(&tar, err) < 0)
		return -1;
	if (entries == 0)
		return 0;
	hasher_finish(&hasher, commit->image.layer);
	commit->image.layer_size = tar.written;
	return 0;
}

/* ---- configuration and manifest ---- */

/* One entry for each layer, and for each change without one; an image that has layers but no
 * history can get none any more. */
static void add_history(const struct commit *commit, const char *now)
{
	json_t *history = json_object_get(commit->image.config, "history");

	if (!json_is_array(history) && commit->base.layer_count == 0)
		json_object_set_new(commit->image.config, "history", history = json_array());
	if (json_is_array(history))
		json_array_append_new(history, image_history_entry(now, "ctr-store commit",
								   !commit->image.layer[0]));
}

static void add_diff_id(const struct commit *commit)
{
	json_t *diff_ids = json_path(commit->image.config, "rootfs", "diff_ids", NULL);

	/* an image without layers may leave it out */
	if (!json_is_array(diff_ids)) {
		diff_ids = json_array();
		json_object_set_new(
			commit->image.config, "rootfs",
			json_pack("{s:s, s:o}", "type", "layers", "diff_ids", diff_ids));
	}
	json_array_append_new(diff_ids, json_string(commit->image.layer));
}

static int make_config(struct commit *commit, struct error *err)
{
	const json_t *base = json_object_get(commit->base.json, "config");
	char now[TIMESTAMP_SIZE];

	timestamp_now(now);
	commit->image.config = json_deep_copy(base);
	json_object_set_new(commit->image.config, "created", json_string(now));
	if (commit->image.patch) {
		json_t *merged = json_merge_patch(commit->image.config, commit->image.patch);

		json_decref(commit->image.config);
		commit->image.config = merged;
	}
	add_history(commit, now);
	if (commit->image.layer[0])
		add_diff_id(commit);
	return image_config_check(commit->image.config, err);
}

/* The OCI name of a layer's media type: a manifest must not mix them with Docker's. */
static const char *oci_type(const char *type)
{
	static const char *const pairs[][2] = {
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip",
		  "application/vnd.oci.image.layer.v1.tar+gzip" },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd",
		  "application/vnd.oci.image.layer.v1.tar+zstd" },
		{ "application/vnd.docker.image.rootfs.diff.tar",
		  "application/vnd.oci.image.layer.v1.tar" },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (strcmp(type, pairs[i][0]) == 0)
			return pairs[i][1];
	return type;
}

static json_t *list_layers(const struct commit *commit)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < commit->base.layer_count; i++) {
		json_t *layer = json_deep_copy(commit->base.layers[i].descriptor);
		const char *type = json_text(layer, "mediaType", "");

		json_object_set_new(layer, "mediaType", json_string(oci_type(type)));
		json_array_append_new(layers, layer);
	}
	/* not compressed: it is there to be unpacked again here */
	if (commit->image.layer[0])
		json_array_append_new(layers, json_pack("{s:s, s:s, s:I}", "mediaType",
							"application/vnd.oci.image.layer.v1.tar",
							"digest", commit->image.layer, "size",
							(json_int_t)commit->image.layer_size));
	return layers;
}

/* ---- the verb ---- */

static int commit_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	__attribute__((cleanup(commit_free))) struct commit commit = { .container = NULL };

	if (publication_open(cli, cli->operands[1], settings->config, &commit.image, err) < 0)
		return -1;
	const struct store *store = &commit.image.store;
	json_auto_t *found = container_find(store, cli->operands[0], err);
	/* so that it is not removed meanwhile */
	cleanup_fd int lock = -1;
	commit.container =
		found ? container_lock(store, json_text(found, "id", ""), &lock, err) : NULL;
	if (!commit.container || find_base(&commit, err) < 0 || write_layer(&commit, err) < 0 ||
	    make_config(&commit, err) < 0)
		return -1;
	json_auto_t *layers = list_layers(&commit);
	json_auto_t *inherited = image_references(&commit.base);
	json_auto_t *row = publication_finish(&commit.image, layers, inherited, err);
	/* who reads it may take his time */
	cleanup_fd_p(&lock);
	return row ? output_object(cli, row, err) : -1;
}

const struct cli_command command_commit = {
	.name = "commit",
	.operands = "CONTAINER [NAME]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "make an image from a container",
	.details =
		"The container's changes become a new layer on top of its image. Prints the new\n"
		"image as listed by images.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = commit_verb,
};

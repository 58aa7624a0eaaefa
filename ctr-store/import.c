/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "ctr-store/image_config.h"
#include "ctr-store/image_publish.h"
#include "ctr-store/unpack_worker.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_CHUNK = 256 << 10 };

struct settings {
	const char *config;
};

static const struct cli_option options[] = {
	{ "config", 0, "FILE", OPTION_STRING, offsetof(struct settings, config),
	  "merge this JSON into the configuration; - is stdin" },
	{ 0 },
};

/* The archive as it is stored. */
struct layer {
	char digest[DIGEST_SIZE];
	long long size;
	json_t *report; /* of the worker: {"diffId", "compression", "entries"} */
};

static void layer_free(struct layer *layer)
{
	json_decref(layer->report);
}

/* ---- the layer ---- */

static int copy(int from, int to, struct layer *layer, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, COPY_CHUNK);
	cleanup_hasher struct hasher hasher = { 0 };
	ssize_t got;

	hasher_start(&hasher, "sha256");
	while ((got = read(from, buffer, COPY_CHUNK)) != 0) {
		if (got < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (got < 0)
			return error_os(err, "cannot read the archive");
		hasher_update(&hasher, buffer, (size_t)got);
		if (file_write_fd(to, buffer, (size_t)got, "the archive", err) < 0)
			return -1;
		layer->size += got;
	}
	hasher_finish(&hasher, layer->digest);
	return 0;
}

/* Into the staging directory. Returns the copy's descriptor, at its beginning. */
static int take_archive(const struct staging *staging, const char *file, struct layer *layer,
			struct error *err)
{
	cleanup_fd int from = strcmp(file, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						     : open(file, O_RDONLY | O_CLOEXEC);
	cleanup_fd int to =
		from < 0 ? -1
			 : openat(staging->fd, IMAGE_LAYER_FILE,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (to < 0)
		return error_os(err, "%s", file);
	if (copy(from, to, layer, err) < 0)
		return -1;
	return lseek(to, 0, SEEK_SET) < 0 ? error_os(err, "the archive") : steal_fd(&to);
}

/* The worker alone looks into it; a directory for it to be confined to is all it gets. */
static int check_archive(const struct staging *staging, int fd, struct layer *layer,
			 struct error *err)
{
	const char *diff_id, *compression;

	if (mkdirat(staging->fd, "check", 0700) < 0)
		return error_os(err, "staging directory");
	cleanup_fd int dir_fd = openat(staging->fd, "check", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return error_os(err, "staging directory");
	const struct unpack_task task = {
		.blob_fd = fd, .diff_fd = dir_fd, .blob_digest = layer->digest, .only_check = true
	};
	layer->report = unpack_worker_run(&task, err);
	if (!layer->report)
		return -1;
	return json_require(layer->report, "the report of ctr-store-unpack", err, "{s:s, s:s}",
			    "diffId", &diff_id, "compression", &compression);
}

static const char *media_type(const char *compression)
{
	static const char *const pairs[][2] = {
		{ "none", "application/vnd.oci.image.layer.v1.tar" },
		{ "gzip", "application/vnd.oci.image.layer.v1.tar+gzip" },
		{ "zstd", "application/vnd.oci.image.layer.v1.tar+zstd" },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (strcmp(compression, pairs[i][0]) == 0)
			return pairs[i][1];
	return NULL;
}

/* ---- the image ---- */

static json_t *make_config(const struct layer *layer, const json_t *patch, struct error *err)
{
	char now[TIMESTAMP_SIZE];
	json_auto_t *config = layout_platform();

	timestamp_now(now);
	json_object_set_new(config, "created", json_string(now));
	json_object_set_new(config, "config", json_object());
	json_auto_t *merged = patch ? json_merge_patch(config, patch) : json_incref(config);
	json_object_set_new(merged, "rootfs",
			    json_pack("{s:s, s:[s]}", "type", "layers", "diff_ids",
				      json_text(layer->report, "diffId", "")));
	json_object_set_new(merged, "history",
			    json_pack("[o]", image_history_entry(now, "ctr-store import", false)));
	return image_config_check(merged, err) < 0 ? NULL : json_incref(merged);
}

static int publish(const struct layout *layout, const struct staging *staging,
		   const struct layer *layer, const json_t *config, const char *name,
		   char digest[static DIGEST_SIZE], struct error *err)
{
	const char *compression = json_text(layer->report, "compression", "");
	const char *type = media_type(compression);

	if (!type) {
		error_set(err, ERROR_UNSUPPORTED, "layers of images cannot be compressed by %s",
			  compression);
		return error_hint(err, "decompress it first");
	}
	json_auto_t *layers = json_pack("[{s:s, s:s, s:I}]", "mediaType", type, "digest",
					layer->digest, "size", (json_int_t)layer->size);
	const struct publication publication = { .layout = layout,
						 .staging = staging,
						 .name = name,
						 .layer = layer->digest,
						 .config = config,
						 .layers = layers };
	return image_publish(&publication, digest, err);
}

/* ---- the verb ---- */

static int import_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	const char *operand = cli->operands[1];
	char digest[DIGEST_SIZE];
	cleanup_store struct store store = { 0 };
	cleanup_layout struct layout layout = { .fd = -1 };
	cleanup_staging struct staging staging = { .fd = -1, .lock_fd = -1 };
	__attribute__((cleanup(layer_free))) struct layer layer = { .report = NULL };
	json_auto_t *patch = NULL;
	cleanup_free char *name = operand ? image_new_name(operand, err) : NULL;

	if (operand && !name)
		return -1;
	if (settings->config && strcmp(settings->config, "-") == 0 &&
	    strcmp(cli->operands[0], "-") == 0)
		return cli_usage(cli, err, "standard input cannot be both");
	if (settings->config && !(patch = image_read_patch(settings->config, err)))
		return -1;
	if (store_open(cli, &store, err) < 0 || image_layout(&store, &layout, err) < 0 ||
	    staging_open(&store, &staging, err) < 0)
		return -1;
	cleanup_fd int fd = take_archive(&staging, cli->operands[0], &layer, err);
	if (fd < 0 || check_archive(&staging, fd, &layer, err) < 0)
		return -1;
	json_auto_t *config = make_config(&layer, patch, err);
	if (!config || publish(&layout, &staging, &layer, config, name, digest, err) < 0)
		return -1;
	return catalog_print(cli, &store, digest, err);
}

const struct cli_command command_import = {
	.name = "import",
	.operands = "FILE [NAME]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "make an image of one layer from a tar archive",
	.details =
		"FILE may be compressed by gzip or zstd; - is stdin. Prints the new image's row.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = import_verb,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/image_config.h"
#include "ctr-store/image_publish.h"
#include "ctr-store/unpack_worker.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
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
	  "merge this JSON into the image configuration; - is stdin" },
	{ 0 },
};

/* ---- the layer ---- */

static int copy(int from, int to, struct publication *image, struct error *err)
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
		image->layer_size += got;
	}
	hasher_finish(&hasher, image->layer);
	return 0;
}

/* Into the staging directory. Returns the copy's descriptor, at its beginning. */
static int take_archive(struct publication *image, const char *file, struct error *err)
{
	cleanup_fd int from = strcmp(file, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						     : open(file, O_RDONLY | O_CLOEXEC);
	cleanup_fd int to =
		from < 0 ? -1
			 : openat(image->staging.fd, IMAGE_LAYER_FILE,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (to < 0)
		return error_os(err, "%s", file);
	if (copy(from, to, image, err) < 0)
		return -1;
	return lseek(to, 0, SEEK_SET) < 0 ? error_os(err, "the archive") : steal_fd(&to);
}

/* The worker alone looks into it; a directory for it to be confined to is all it gets. Returns its
 * report, {"diffId", "compression", "entries"}, which the caller owns. */
static json_t *check_archive(const struct publication *image, int fd, struct error *err)
{
	cleanup_fd int dir_fd = -1;
	const char *diff_id, *compression;

	if (mkdirat(image->staging.fd, "check", 0700) == 0)
		dir_fd = openat(image->staging.fd, "check", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		error_os(err, "staging directory");
		return NULL;
	}
	const struct unpack_task task = {
		.blob_fd = fd, .diff_fd = dir_fd, .blob_digest = image->layer, .only_check = true
	};
	json_auto_t *report = unpack_worker_run(&task, err);
	if (!report || json_require(report, "the report of ctr-store-unpack", err, "{s:s, s:s}",
				    "diffId", &diff_id, "compression", &compression) < 0)
		return NULL;
	return json_incref(report);
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

static int make_config(struct publication *image, const json_t *report, struct error *err)
{
	char now[TIMESTAMP_SIZE];
	json_auto_t *config = layout_platform();

	timestamp_now(now);
	json_object_set_new(config, "created", json_string(now));
	json_object_set_new(config, "config", json_object());
	image->config = image->patch ? json_merge_patch(config, image->patch) : json_incref(config);
	json_object_set_new(image->config, "rootfs",
			    json_pack("{s:s, s:[s]}", "type", "layers", "diff_ids",
				      json_text(report, "diffId", "")));
	json_object_set_new(image->config, "history",
			    json_pack("[o]", image_history_entry(now, "ctr-store import", false)));
	return image_config_check(image->config, err);
}

/* The manifest's, which the caller owns. */
static json_t *list_layer(const struct publication *image, const json_t *report, struct error *err)
{
	const char *compression = json_text(report, "compression", "");
	const char *type = media_type(compression);

	if (!type) {
		error_set(err, ERROR_UNSUPPORTED, "layers of images cannot be compressed by %s",
			  compression);
		error_hint(err, "decompress it first");
		return NULL;
	}
	return json_pack("[{s:s, s:s, s:I}]", "mediaType", type, "digest", image->layer, "size",
			 (json_int_t)image->layer_size);
}

/* ---- the verb ---- */

static int import_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;

	if (settings->config && strcmp(settings->config, "-") == 0 &&
	    strcmp(cli->operands[0], "-") == 0)
		return cli_usage(cli, err, "standard input cannot be both");
	cleanup_publication struct publication image;
	if (publication_open(cli, cli->operands[1], settings->config, &image, err) < 0)
		return -1;
	cleanup_fd int fd = take_archive(&image, cli->operands[0], err);
	json_auto_t *report = fd < 0 ? NULL : check_archive(&image, fd, err);
	if (!report || make_config(&image, report, err) < 0)
		return -1;
	json_auto_t *layers = list_layer(&image, report, err);
	json_auto_t *row = layers ? publication_finish(&image, layers, NULL, err) : NULL;
	return row ? output_object(cli, row, err) : -1;
}

const struct cli_command command_import = {
	.name = "import",
	.operands = "FILE [NAME]",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "make an image with one layer from a tar archive",
	.details = "FILE can be compressed with gzip or zstd; - is stdin. Prints the new image as\n"
		   "listed by images.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = import_verb,
};

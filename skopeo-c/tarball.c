/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tarball:PATH[:PATH...]: an image made of tar files, one layer each, lowest first; "-" is stdin.
 * The layers are compressed into unnamed temporary files when the transport is opened, since their
 * digests stand in the manifest. The same tars and configuration give the same bytes.
 */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/memory.h"
#include "skopeo-c/recode.h"
#include "skopeo-c/tar.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 256 << 10 };

struct tarball {
	struct recoded *parts; /* the layers, then the config, in unnamed files */
	size_t count;
	char *manifest; /* the bytes */
};

static void tarball_close(struct transport *t)
{
	struct tarball *tarball = t->state;

	for (size_t i = 0; i < tarball->count; i++)
		cleanup_fd_p(&tarball->parts[i].fd);
	free(tarball->parts);
	free(tarball->manifest);
	free(tarball);
}

/* ---- one layer ---- */

/* What is seen of a tar while it is packed. */
struct look {
	unsigned char head[TAR_BLOCK];
	size_t head_length, length;
};

static int look_at(void *context, const void *data, size_t length, struct error *err)
{
	struct look *look = context;
	size_t part = sizeof look->head - look->head_length;

	(void)err;
	if (part > length)
		part = length;
	memcpy(look->head + look->head_length, data, part);
	look->head_length += part;
	look->length += length;
	return 0;
}

static int check_tar(const struct look *look, struct error *err)
{
	if (look->head_length == TAR_BLOCK && look->length % TAR_BLOCK == 0 &&
	    tar_is_header(look->head))
		return 0;
	return error_set(err, ERROR_INTEGRITY, "not a tar file, compressed or not");
}

/* Fill the buffer as far as there is something: what a pipe delivers at once means nothing. */
static ssize_t read_piece(int fd, char *buffer, size_t size, struct error *err)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, buffer + used, size - used);

		if (got < 0 && errno == EINTR && !cli_interrupted())
			continue;
		if (got < 0)
			return error_os(err, "cannot read");
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

static int pump(struct recoder *recoder, int in, struct error *err)
{
	cleanup_free char *buffer = xcalloc(1, READ_SIZE);
	ssize_t got;
	int status = 0;

	while (status == 0 && (got = read_piece(in, buffer, READ_SIZE, err)) != 0)
		status = got < 0 ? -1 : recoder_write(recoder, buffer, (size_t)got, err);
	return status;
}

/* Make a layer of the tar at `path`. */
static int pack(const char *path, const char *spool_directory, struct recoded *layer,
		struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *what = is_stdin ? "standard input" : path;
	cleanup_fd int file = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	struct look look = { 0 };
	const struct recoding recoding = { .way = COMPRESSION_GZIP,
					   .directory = spool_directory,
					   .look = look_at,
					   .looking = &look };

	if (!is_stdin && file < 0)
		return error_os(err, "%s", path);
	struct recoder *recoder = recoder_new(&recoding, -1, err);
	if (!recoder)
		return -1;
	int status = pump(recoder, is_stdin ? STDIN_FILENO : file, err);
	if (status == 0)
		status = recoder_finish(recoder, layer, err);
	if (status == 0)
		status = check_tar(&look, err);
	recoder_free(recoder);
	return status < 0 ? error_prefix(err, "%s", what) : 0;
}

/* ---- config and manifest ---- */

/* Set "created" to SOURCE_DATE_EPOCH's time (reproducible-builds.org), where that is given. */
static int add_created(json_t *config, struct error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char text[sizeof "9999-12-31T23:59:59Z"];
	char *end;
	struct tm tm;

	if (!epoch || !epoch[0])
		return 0;
	time_t seconds = (time_t)strtoll(epoch, &end, 10);
	if (*end || !gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return error_set(err, ERROR_USAGE, "SOURCE_DATE_EPOCH is not a time in seconds");
	json_object_set_new(config, "created", json_string(text));
	return 0;
}

static json_t *read_given(const char *path, struct error *err)
{
	json_auto_t *given =
		path ? json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err) : json_object();

	if (!given)
		return NULL;
	if (!json_is_object(given)) {
		error_set(err, ERROR_USAGE, "%s: an image configuration is a JSON object", path);
		return NULL;
	}
	if (json_object_get(given, "rootfs") || json_object_get(given, "history")) {
		error_set(err, ERROR_USAGE, "%s: rootfs and history follow from the tars", path);
		return NULL;
	}
	return json_incref(given);
}

/* The image config (image-spec, config.md): what was given over what follows from the tars. */
static json_t *make_config(const char *given_path, json_t *diff_ids, struct error *err)
{
	json_auto_t *given = read_given(given_path, err);
	json_auto_t *config = layout_platform();
	json_t *history = json_array();

	json_object_set_new(config, "config", json_object());
	json_object_set_new(config, "rootfs",
			    json_pack("{s:s, s:O}", "type", "layers", "diff_ids", diff_ids));
	json_object_set_new(config, "history", history);
	if (!given || add_created(config, err) < 0)
		return NULL;
	/* a variant belongs to its architecture */
	if (json_object_get(given, "architecture"))
		json_object_del(config, "variant");
	json_object_update(config, given);
	for (size_t i = 0; i < json_array_size(diff_ids); i++) {
		json_t *entry = json_pack("{s:s}", "created_by", "skopeo-c tarball");

		if (json_object_get(config, "created"))
			json_object_set(entry, "created", json_object_get(config, "created"));
		json_array_append_new(history, entry);
	}
	return json_incref(config);
}

static int add_config(struct tarball *tarball, const json_t *config, struct error *err)
{
	struct recoded *part = &tarball->parts[tarball->count];
	cleanup_free char *text = json_compact(config);
	size_t length = strlen(text);

	digest_of(text, length, "sha256", part->digest);
	part->size = (json_int_t)length;
	part->fd = memfd_create("config", MFD_CLOEXEC);
	if (part->fd < 0)
		return error_os(err, "cannot hold the config in memory");
	tarball->count++;
	return file_write_fd(part->fd, text, length, "config", err);
}

static json_t *part_descriptor(const struct recoded *part, const char *media_type)
{
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", part->digest, "size",
			 part->size);
}

static void make_manifest(struct tarball *tarball)
{
	json_auto_t *layers = json_array();
	size_t last = tarball->count - 1;

	for (size_t i = 0; i < last; i++)
		json_array_append_new(layers, part_descriptor(&tarball->parts[i], LAYER_OCI_GZIP));
	json_auto_t *manifest = json_pack(
		"{s:i, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType", MANIFEST_OCI, "config",
		part_descriptor(&tarball->parts[last], CONFIG_OCI), "layers", layers);
	tarball->manifest = json_compact(manifest);
}

/* ---- the transport ---- */

static int check_paths(char *const *paths, size_t count, struct error *err)
{
	size_t stdins = 0;

	for (size_t i = 0; i < count; i++) {
		if (paths[i][0] == '\0')
			return error_set(err, ERROR_USAGE, "tarball: a path is empty");
		stdins += strcmp(paths[i], "-") == 0;
	}
	if (stdins > 1)
		return error_set(err, ERROR_USAGE, "tarball: standard input can be one layer only");
	return 0;
}

static void split_paths(const char *rest, struct strings *paths)
{
	for (;;) {
		size_t length = strcspn(rest, ":");

		strings_addf(paths, "%.*s", (int)length, rest);
		if (!rest[length])
			return;
		rest += length + 1;
	}
}

static int tarball_open(struct transport *t, const char *rest,
			const struct transport_settings *settings, struct error *err)
{
	cleanup_strings struct strings paths = { 0 };
	json_auto_t *diff_ids = json_array();
	struct tarball *tarball = xcalloc(1, sizeof *tarball);

	t->state = tarball;
	t->name = xasprintf("tarball:%s", rest);
	split_paths(rest, &paths);
	if (check_paths(paths.items, paths.count, err) < 0)
		return -1;
	tarball->parts = xcalloc(paths.count + 1, sizeof *tarball->parts);
	for (size_t i = 0; i < paths.count; i++) {
		struct recoded *layer = &tarball->parts[tarball->count++];

		layer->fd = -1;
		if (pack(paths.items[i], settings->spool_directory, layer, err) < 0)
			return -1;
		json_array_append_new(diff_ids, json_string(layer->diff_id));
	}
	json_auto_t *config = make_config(settings->tarball_config, diff_ids, err);
	if (!config || add_config(tarball, config, err) < 0)
		return -1;
	make_manifest(tarball);
	return 0;
}

static int tarball_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
				struct error *err)
{
	const struct tarball *tarball = t->state;
	char *bytes = xstrdup(tarball->manifest);

	return manifest_parse(bytes, strlen(bytes), NULL, digest, t->name, manifest, err);
}

static int tarball_open_blob(struct transport *t, const struct blob *blob,
			     struct blob_source *source, struct error *err)
{
	const struct tarball *tarball = t->state;

	for (size_t i = 0; i < tarball->count; i++) {
		if (strcmp(tarball->parts[i].digest, blob->digest) != 0)
			continue;
		source->fd = fcntl(tarball->parts[i].fd, F_DUPFD_CLOEXEC, 0);
		source->is_whole = i + 1 < tarball->count; /* the config is only in memory */
		if (source->fd < 0 || lseek(source->fd, 0, SEEK_SET) < 0)
			return error_os(err, "%s", t->name);
		return 0;
	}
	return error_set(err, ERROR_NOT_FOUND, "%s has no blob %s", t->name, blob->digest);
}

const struct transport_class transport_tarball = {
	.prefix = "tarball:",
	.makes_manifest = true,
	.open = tarball_open,
	.close = tarball_close,
	.get_manifest = tarball_get_manifest,
	.open_blob = tarball_open_blob,
};

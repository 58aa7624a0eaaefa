/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/archive.h"
#include "ctr-store/backend.h"
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/export_image.h"
#include "ctr-store/id_map.h"
#include "ctr-store/layer.h"
#include "ctr-store/layer_secure.h"
#include "ctr-store/overlay.h"
#include "ctr-store/root_directory.h"
#include "ctr-store/target.h"
#include "ctr-store/volatile.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/output_file.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { FILE_MODE = 0666 }; /* but for the umask */

struct settings {
	const char *output;
	struct strings additional;
	bool erofs, only_container, only_image;
};

static const struct cli_option options[] = {
	{ "output", 'o', "FILE", OPTION_STRING, offsetof(struct settings, output),
	  "write to FILE, atomically; - is stdout" },
	{ "erofs", 0, NULL, OPTION_FLAG, offsetof(struct settings, erofs),
	  "write an EROFS image instead of an archive; needs --output" },
	{ "container", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_container),
	  "the operand is a container" },
	{ "image", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_image),
	  "the operand is an image" },
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also use images and layers of the read-only store in DIR" },
	{ 0 },
};

/* A read-only mount of an image, or a container and its upper directory, that is attached nowhere.
 * The caller holds the gate. */
static int open_merged(const struct store *store, const struct strings *layers,
		       const json_t *container, const char *upper, struct error *err)
{
	const struct id_maps maps = id_maps_of(container);
	const struct overlay overlay = { .layers = layers,
					 .maps = &maps,
					 .top = upper,
					 .source = "ocid:export",
					 .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

	return overlay_open(store, &overlay, err);
}

/* The layers stay as long as the staging directory says that they are used, and their root
 * directory as long as *held is open. */
static int open_image(const struct store *store, const struct image *image,
		      const struct staging *staging, int *held, struct error *err)
{
	cleanup_strings struct strings layers = { 0 };
	json_auto_t *references = image_references(image);

	if (staging_refer(staging, references, err) < 0)
		return -1;
	cleanup_fd int gate = layer_secure(store, image, NULL, &layers, err);
	if (gate < 0 || root_directory_add(store, &layers, NULL, held, err) < 0)
		return -1;
	return open_merged(store, &layers, NULL, NULL, err);
}

/* The upper directory is the topmost layer, also while the container is mounted: then the archive
 * holds what was there when each file was read. */
static int open_container(const struct store *store, const json_t *container, struct error *err)
{
	cleanup_free char *upper =
		xasprintf("%s/containers/%s/upper", store->root, json_text(container, "id", ""));
	cleanup_strings struct strings layers = { 0 };

	if (volatile_check(container, err) < 0)
		return -1;
	if (backend_is_copy(container))
		return container_open_copy(store, container, err);
	if (layer_parse_ids(json_object_get(container, "layers"), &layers, err) < 0)
		return -1;
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, err);
	return gate < 0 ? -1 : open_merged(store, &layers, container, upper, err);
}

static int export_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	return archive_add(context, entry, err) < 0 ? error_prefix(err, "/%s", entry->path) : 0;
}

static int write_tree(int root_fd, const json_t *container, struct tar_writer *tar,
		      struct error *err)
{
	cleanup_archive struct archive archive = { 0 };

	archive_start(&archive, tar, container);
	if (tree_walk(root_fd, export_entry, &archive, err) < 0)
		return -1;
	return tar_finish(tar, err);
}

static int write_image(int root_fd, const json_t *container, const struct staging *staging,
		       int image_fd, struct error *err)
{
	cleanup_export_image struct export_image image = EXPORT_IMAGE_NONE;

	if (export_image_start(staging, image_fd, &image, err) < 0)
		return -1;
	int written = write_tree(root_fd, container, &image.tar, err);
	return export_image_finish(&image, written, err);
}

static int write_file(const struct settings *settings, int root_fd, const json_t *container,
		      const struct staging *staging, struct error *err)
{
	cleanup_output_file struct output_file file = OUTPUT_FILE_NONE;

	if (output_file_open(settings->output, FILE_MODE, &file, err) < 0 ||
	    output_file_inherit(&file, err) < 0)
		return -1;
	struct tar_writer tar = { .fd = file.fd, .what = settings->output };
	int written = settings->erofs ? write_image(root_fd, container, staging, file.fd, err)
				      : write_tree(root_fd, container, &tar, err);
	return written < 0 ? -1 : output_file_publish(&file, err);
}

static int write_stdout(int root_fd, const json_t *container, struct error *err)
{
	struct tar_writer tar = { .fd = STDOUT_FILENO, .what = "standard output" };

	if (write_tree(root_fd, container, &tar, err) == 0)
		return 0;
	return err->os == EPIPE ? 128 + SIGPIPE : -1;
}

/* NULL: standard output. */
static const char *output_name(const struct settings *settings)
{
	bool is_file = settings->output && strcmp(settings->output, "-") != 0;

	return is_file ? settings->output : NULL;
}

static int export_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_target struct target target = { 0 };
	cleanup_staging struct staging staging = { .fd = -1, .lock_fd = -1 };
	const char *output = output_name(settings);

	if (settings->erofs && !output)
		return cli_usage(cli, err, "--erofs needs --output FILE");
	if (!output && isatty(STDOUT_FILENO))
		return cli_usage(cli, err, "an archive is not for a terminal");
	if (store_open_images(cli, &settings->additional, &store, err) < 0 ||
	    target_find(&store, cli->operands[0], settings->only_container, settings->only_image,
			&target, err) < 0 ||
	    staging_open(&store, &staging, err) < 0)
		return -1;
	/* a container is not removed meanwhile */
	cleanup_fd int lock = -1;
	json_auto_t *container =
		target.container
			? container_lock(&store, json_text(target.container, "id", ""), &lock, err)
			: NULL;
	if (target.container && !container)
		return -1;
	cleanup_fd int held = -1;
	cleanup_fd int root_fd = container
					 ? open_container(&store, container, err)
					 : open_image(&store, &target.image, &staging, &held, err);
	if (root_fd < 0)
		return -1;
	/* so that nothing is left unfinished when the reader is gone */
	signal(SIGPIPE, SIG_IGN);
	return output ? write_file(settings, root_fd, container, &staging, err)
		      : write_stdout(root_fd, container, err);
}

const struct cli_command command_export = {
	.name = "export",
	.operands = "CONTAINER|IMAGE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "export an image or a container as a tar archive",
	.details = "An EROFS image holds all layers in one, and any host can mount it:\n"
		   "mount -t erofs -o loop FILE DIR.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = export_verb,
};

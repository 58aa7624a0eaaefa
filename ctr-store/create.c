/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/backend.h"
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/id_map.h"
#include "ctr-store/image.h"
#include "ctr-store/layer_secure.h"
#include "ctr-store/quota.h"
#include "ctr-store/remove_container.h"
#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

struct settings {
	const char *image, *from, *name, *id, *size, *backend;
	struct strings uid_map, gid_map, additional;
	bool lose_writes;
};

static const struct cli_option options[] = {
	{ "image", 0, "IMAGE", OPTION_STRING, offsetof(struct settings, image),
	  "use this image instead of reading a document from stdin" },
	{ "from", 0, "IMAGE|scratch", OPTION_STRING, offsetof(struct settings, from),
	  "the same; scratch is an empty root file system" },
	{ "name", 0, "NAME", OPTION_STRING, offsetof(struct settings, name),
	  "name of the container, which must be unique" },
	{ "id", 0, "ID", OPTION_STRING, offsetof(struct settings, id),
	  "use this id instead of a random one" },
	{ "backend", 0, "erofs|overlay|copy", OPTION_STRING, offsetof(struct settings, backend),
	  "how to build the root; copy where overlayfs cannot be used" },
	{ "size", 0, "BYTES", OPTION_STRING, offsetof(struct settings, size),
	  "limit of what the container may write: 10M, 1G; needs project quotas" },
	{ "volatile", 0, NULL, OPTION_FLAG, offsetof(struct settings, lose_writes),
	  "do not sync to disk; a crash of the machine loses the container" },
	{ "uidmap", 0, "C:H:N", OPTION_LIST, offsetof(struct settings, uid_map),
	  "map N user ids from C in the container to H on the host" },
	{ "gidmap", 0, "C:H:N", OPTION_LIST, offsetof(struct settings, gid_map),
	  "the same for group ids (default: as --uidmap)" },
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also use images and layers of the read-only store in DIR" },
	{ 0 },
};

/* The document's image is a name: that of one in the store, which takes its place, and is told by
 * all its names as in a list of images. */
static int find_named(const struct store *store, json_t *document, struct image *image,
		      struct error *err)
{
	static const char *const keys[] = { "names", "repoDigests", NULL };
	const char *name = json_text(document, "image", "");

	if (image_find(store, name, image, err) < 0)
		return -1;
	json_auto_t *row = catalog_row(store, image->id, name, err);
	if (!row)
		return -1;
	for (size_t i = 0; keys[i]; i++)
		json_object_set(image->json, keys[i], json_object_get(row, keys[i]));
	json_object_set(document, "image", image->json);
	return 0;
}

/* The document to continue, and its image. */
static int get_image(const struct store *store, const struct settings *settings, const char *from,
		     json_t **document, struct image *image, struct error *err)
{
	const char *name = settings->image ? settings->image : from;

	if (name) {
		if (!settings->image && strcmp(name, "scratch") == 0)
			image_scratch(image);
		else if (image_find(store, name, image, err) < 0)
			return -1;
		*document = json_pack("{s:O}", "image", image->json);
		return 0;
	}
	json_auto_t *read = document_read(err);
	if (!read)
		return -1;
	if (json_object_get(read, "rootfs"))
		return error_set(err, ERROR_USAGE, "the document has a rootfs already");
	json_t *field = json_object_get(read, "image");
	if (!field) {
		error_set(err, ERROR_USAGE, "the document has no image");
		return error_hint(err, "put skopeo-c copy ... store: before it, or use --image");
	}
	if ((json_is_string(field) ? find_named(store, read, image, err)
				   : image_from_json(field, image, err)) < 0)
		return -1;
	*document = json_incref(read);
	return 0;
}

/* Print the document. Where it cannot be printed nobody has the container's id, and it would stay
 * for ever: it goes, unless somebody has found it and runs it, or has made another one of that id.
 * Nothing is locked: the reader may take his time. */
static int deliver(const struct cli *cli, const struct store *store, const json_t *document,
		   const json_t *container, struct error *err)
{
	const char *id = json_text(container, "id", "");
	struct error ignored;

	signal(SIGPIPE, SIG_IGN);
	if (output_object(cli, document, err) == 0)
		return 0;
	json_auto_t *now = container_find_whole(store, id, &ignored);
	if (now && json_equal(now, container))
		remove_container(store, id, true, &ignored);
	return err->os == EPIPE ? 128 + SIGPIPE : -1;
}

/* Where only one of them is given it is the other too. */
static int get_maps(const struct settings *settings, json_t **uid_map, json_t **gid_map,
		    struct error *err)
{
	if (id_map_parse(&settings->uid_map, "uidmap", uid_map, err) < 0 ||
	    id_map_parse(&settings->gid_map, "gidmap", gid_map, err) < 0)
		return -1;
	if (!*uid_map && *gid_map)
		*uid_map = json_incref(*gid_map);
	if (!*gid_map && *uid_map)
		*gid_map = json_incref(*uid_map);
	return 0;
}

/* The layers of an image as layer_secure() has them, for a copy, which may take long: nobody
 * waits for it, since it is the staging directory that keeps them. */
static int secure_for_copy(const struct store *store, const struct image *image,
			   struct staging *staging, struct strings *layers, struct error *err)
{
	static const enum backend backend = BACKEND_COPY;
	json_auto_t *references = image_references(image);

	if (staging_open(store, staging, err) < 0 || staging_refer(staging, references, err) < 0)
		return -1;
	cleanup_fd int gate = layer_secure(store, image, &backend, layers, err);
	return gate < 0 ? -1 : 0;
}

static int create(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_image struct image image = { 0 };
	cleanup_strings struct strings layers = { 0 };
	json_auto_t *document = NULL;
	json_auto_t *uid_map = NULL;
	json_auto_t *gid_map = NULL;

	long long size_max = 0;
	enum backend backend;

	const char *from = cli->operand_count ? cli->operands[0] : settings->from;

	if (!!settings->image + !!settings->from + cli->operand_count > 1)
		return cli_usage(cli, err, "--image, --from and an operand exclude each other");
	if ((settings->size && quota_parse(settings->size, &size_max, err) < 0) ||
	    get_maps(settings, &uid_map, &gid_map, err) < 0 ||
	    store_open_images(cli, &settings->additional, &store, err) < 0 ||
	    backend_choose(&store, settings->backend, &backend, err) < 0 ||
	    get_image(&store, settings, from, &document, &image, err) < 0)
		return -1;

	bool copy = backend == BACKEND_COPY;
	cleanup_staging struct staging staging = { .fd = -1, .lock_fd = -1 };
	cleanup_fd int gate = copy ? -1 : layer_secure(&store, &image, &backend, &layers, err);
	if (copy ? secure_for_copy(&store, &image, &staging, &layers, err) < 0 : gate < 0)
		return -1;
	const struct container_plan plan = { .id = settings->id,
					     .name = settings->name,
					     .image = &image,
					     .layers = &layers,
					     .staging = copy ? &staging : NULL,
					     .document = document,
					     .copy = copy,
					     .lose_writes = settings->lose_writes && !copy,
					     .size_max = size_max,
					     .uid_map = uid_map,
					     .gid_map = gid_map };
	cleanup_fd int lock = -1;
	json_auto_t *container = container_make(&store, &plan, &lock, err);
	if (!container)
		return -1;
	json_auto_t *record = copy ? json_null() : container_mount(&store, container, NULL, err);
	if (!record) {
		container_undo(&store, container);
		return -1;
	}
	cleanup_fd_p(&lock);
	cleanup_fd_p(&gate);
	return deliver(cli, &store, document, container, err);
}

const struct cli_command command_create = {
	.name = "create",
	.operands = "[IMAGE]",
	.operands_max = 1,
	.summary = "make a container from an image and mount its root",
	.details = "Without IMAGE, reads a container document that has one from stdin. Unpacks\n"
		   "missing layers, adds `rootfs` to the document and prints it.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = create,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image_publish.h"

#include "ctr-store/catalog.h"
#include "ctr-store/image.h"
#include "ctr-store/image_config.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/staging.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *read_patch(const char *file, struct error *err)
{
	json_auto_t *patch =
		strcmp(file, "-") == 0
			? json_read_fd(STDIN_FILENO, JSON_CONFIG_MAX, "standard input", err)
			: json_read_at(AT_FDCWD, file, JSON_CONFIG_MAX, err);

	return patch && image_config_check_patch(patch, err) == 0 ? json_incref(patch) : NULL;
}

int publication_open(const struct cli *cli, const char *name, const char *patch,
		     struct publication *publication, struct error *err)
{
	*publication = (struct publication){ .layout = { .fd = -1 },
					     .staging = { .fd = -1, .lock_fd = -1 } };
	if ((name && !(publication->name = image_new_name(name, err))) ||
	    (patch && !(publication->patch = read_patch(patch, err))))
		return -1;
	if (store_open_images(cli, NULL, &publication->store, err) < 0 ||
	    image_layout(&publication->store, &publication->layout, err) < 0)
		return -1;
	return staging_open(&publication->store, &publication->staging, err);
}

void publication_free(struct publication *publication)
{
	json_decref(publication->config);
	json_decref(publication->patch);
	free(publication->name);
	staging_close(&publication->staging);
	layout_close(&publication->layout);
	store_close(&publication->store);
}

static int write_json(const struct publication *publication, const json_t *descriptor,
		      const char *text, struct error *err)
{
	char digest[DIGEST_SIZE];

	snprintf(digest, sizeof digest, "%s", json_text(descriptor, "digest", ""));
	return layout_write_blob(&publication->layout, text, strlen(text), digest, err);
}

/* All that must stay until the index names it. */
static int refer(const struct publication *publication, const json_t *inherited,
		 const json_t *config, const json_t *manifest, struct error *err)
{
	json_auto_t *references = inherited ? json_copy((json_t *)inherited) : json_array();

	json_array_append(references, json_object_get(config, "digest"));
	json_array_append(references, json_object_get(manifest, "digest"));
	if (publication->layer[0])
		json_array_append_new(references, json_string(publication->layer));
	return staging_refer(&publication->staging, references, err);
}

static int check_length(const char *text, const char *what, struct error *err)
{
	return strlen(text) <= JSON_CONFIG_MAX
		       ? 0
		       : error_set(err, ERROR_LIMIT, "the image's %s would be larger than %d MiB",
				   what, JSON_CONFIG_MAX >> 20);
}

/* What could not be used again must not take the name of an image that can. */
static int check_usable(const struct publication *publication, json_t *descriptor, json_t *manifest,
			struct error *err)
{
	cleanup_image struct image image = { 0 };
	json_auto_t *json =
		json_pack("{s:s*, s:O, s:O, s:O}", "name", publication->name, "descriptor",
			  descriptor, "manifest", manifest, "config", publication->config);

	return image_from_json(json, &image, err);
}

json_t *publication_finish(const struct publication *publication, const json_t *layers,
			   const json_t *inherited, struct error *err)
{
	const struct layout *layout = &publication->layout;
	cleanup_free char *config_text = json_compact(publication->config);
	json_auto_t *config = image_describe(IMAGE_CONFIG_TYPE, config_text);
	json_auto_t *json = json_pack("{s:i, s:s, s:O, s:O}", "schemaVersion", 2, "mediaType",
				      IMAGE_MANIFEST_TYPE, "config", config, "layers", layers);
	cleanup_free char *manifest_text = json_compact(json);
	json_auto_t *manifest = image_describe(IMAGE_MANIFEST_TYPE, manifest_text);

	if (check_length(config_text, "configuration", err) < 0 ||
	    check_length(manifest_text, "manifest", err) < 0 ||
	    check_usable(publication, manifest, json, err) < 0 ||
	    refer(publication, inherited, config, manifest, err) < 0 ||
	    (publication->layer[0] &&
	     layout_adopt_blob(layout, publication->staging.fd, IMAGE_LAYER_FILE,
			       publication->layer, err) < 0) ||
	    write_json(publication, config, config_text, err) < 0 ||
	    write_json(publication, manifest, manifest_text, err) < 0 ||
	    layout_tag(layout, publication->name, manifest, err) < 0)
		return NULL;
	return catalog_find(&publication->store, json_text(manifest, "digest", ""), err);
}

json_t *image_history_entry(const char *created, const char *created_by, bool empty)
{
	json_t *entry = json_pack("{s:s, s:s}", "created", created, "created_by", created_by);

	if (empty)
		json_object_set_new(entry, "empty_layer", json_true());
	return entry;
}

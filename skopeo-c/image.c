/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/image.h"

#include "lib/json.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>

static int parse_config(const struct transport *from, struct image *image, struct error *err)
{
	struct error why;

	image->config =
		json_parse(image->config_bytes, (size_t)image->config_blob.size, from->name, &why);
	if (json_is_object(image->config))
		return 0;
	json_decref(image->config);
	image->config = NULL;
	if (!manifest_is_image_config(image->config_blob.media_type))
		return 0;
	return error_set(err, ERROR_INTEGRITY, "%s: the image config is not a JSON object",
			 from->name);
}

int image_begin(struct transport *from, const struct manifest *manifest, struct image *image,
		struct blob_source *source, struct error *err)
{
	struct image result = { .manifest = manifest };

	if (blob_from_json(json_object_get(manifest->json, "config"), from->name,
			   &result.config_blob, err) < 0 ||
	    transport_begin_blob(from, &result.config_blob, source, err) < 0)
		return -1;
	*image = result;
	return 0;
}

int image_end(struct transport *from, struct image *image, struct blob_source *source,
	      struct error *err)
{
	image->config_bytes = transport_end_blob(from, &image->config_blob, source, err);
	if (image->config_bytes && parse_config(from, image, err) == 0)
		return 0;
	image_free(image);
	return -1;
}

int image_read(struct transport *from, const struct manifest *manifest, struct image *image,
	       struct error *err)
{
	struct blob_source source = BLOB_SOURCE_NONE;

	return image_begin(from, manifest, image, &source, err) < 0
		       ? -1
		       : image_end(from, image, &source, err);
}

void image_free(struct image *image)
{
	free(image->config_bytes);
	json_decref(image->config);
	*image = (struct image){ 0 };
}

json_t *image_field(const struct image *image, const char *name)
{
	json_t *field = json_pack("{s:o, s:O}", "descriptor", manifest_descriptor(image->manifest),
				  "manifest", image->manifest->json);

	if (image->config)
		json_object_set(field, "config", image->config);
	if (name)
		json_object_set_new(field, "name", json_string(name));
	return field;
}

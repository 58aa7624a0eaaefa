/* SPDX-License-Identifier: Apache-2.0 */
/* ListImages, ImageStatus and RemoveImage: what `ctr-store` knows, in the CRI's words. */
#include "ocid-dispatch/handlers.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/pipeline.h"

#include <string.h>

enum {
	UID_DIGITS_MAX = 10,	/* enough for 32 bits; what is longer is taken for a name */
	NAME_LENGTH_MAX = 4096, /* of an image, with tag and digest */
};

/* The user that a container of the image runs as, without its group: `uid` or `username`. */
static void set_user(json_t *image, const char *user)
{
	size_t length = strcspn(user, ":");
	cleanup_free char *name = xstrndup(user, length);

	if (length == 0)
		return;
	if (length <= UID_DIGITS_MAX && strspn(name, "0123456789") == length)
		json_object_set_new(image, "uid", json_pack("{s:s}", "value", name));
	else
		json_object_set_new(image, "username", json_string(name));
}

static json_t *array_of(const json_t *row, const char *key)
{
	json_t *array = json_object_get(row, key);

	return json_is_array(array) ? json_incref(array) : json_array();
}

/* The CRI's Image from a row of `ctr-store images`. The caller owns it. */
static json_t *image_of(const json_t *row)
{
	const char *id = json_text(row, "id", "");
	json_int_t size = json_integer_value(json_object_get(row, "size"));
	json_t *image = json_pack("{s:s, s:o, s:o, s:I, s:{s:s}}", "id", id, "repoTags",
				  array_of(row, "names"), "repoDigests",
				  array_of(row, "repoDigests"), "size", size, "spec", "image", id);

	set_user(image, json_text(row, "user", ""));
	return image;
}

/* The `image` field of ListImages' filter, ImageStatus and RemoveImage; "" when it is left out. */
static const char *image_name(const json_t *holder)
{
	return json_text(json_object_get(holder, "image"), "image", "");
}

static int check_length(const char *name, struct error *err)
{
	if (strlen(name) > NAME_LENGTH_MAX)
		return error_set(err, ERROR_USAGE, "an image's name has at most %d bytes",
				 NAME_LENGTH_MAX);
	return 0;
}

static int require_name(const json_t *request, const char **name, struct error *err)
{
	*name = image_name(request);
	if (!**name)
		return error_set(err, ERROR_USAGE, "the request names no image");
	return check_length(*name, err);
}

int images_list(const struct rpc_context *context, const json_t *request, json_t **response,
		struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct strings *words = pipeline_add(&pipeline, "ctr-store", "images", NULL);
	const char *name = image_name(json_object_get(request, "filter"));
	json_auto_t *rows = NULL, *images = json_array();
	const json_t *row;
	size_t i;

	if (check_length(name, err) < 0)
		return -1;
	if (*name) {
		strings_add(words, "--");
		strings_add(words, name);
	}
	if (pipeline_rows(&pipeline, context, &rows, err) < 0) {
		if (!*name || err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error){ 0 };
	}
	json_array_foreach(rows, i, row)
	{
		json_array_append_new(images, image_of(row));
	}
	*response = json_pack("{s:O}", "images", images);
	return 0;
}

/* What verbose asks for: the image's own configuration, as JSON in a string. */
static json_t *image_info(const json_t *row)
{
	json_auto_t *info = json_object();
	json_t *image = json_object_get(row, "image");

	json_object_set(info, "imageSpec", json_object_get(image, "config"));
	json_object_set(info, "descriptor", json_object_get(image, "descriptor"));
	cleanup_free char *text = json_compact(info);
	return json_pack("{s:s}", "info", text);
}

int images_status(const struct rpc_context *context, const json_t *request, json_t **response,
		  struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *row = NULL;
	const char *name;

	if (require_name(request, &name, err) < 0)
		return -1;
	pipeline_add(&pipeline, "ctr-store", "image", "--", name, NULL);
	if (pipeline_document(&pipeline, context, &row, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error){ 0 };
		*response = json_object();
		return 0;
	}
	*response = json_pack("{s:o}", "image", image_of(row));
	if (json_is_true(json_object_get(request, "verbose")))
		json_object_set_new(*response, "info", image_info(row));
	return 0;
}

/* Every name of the image goes, whichever of them is given: kubelets remove images, not tags. */
int images_remove(const struct rpc_context *context, const json_t *request, json_t **response,
		  struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *removed = NULL;
	const char *name;

	if (require_name(request, &name, err) < 0)
		return -1;
	pipeline_add(&pipeline, "ctr-store", "rm", "--image", "--all", "--", name, NULL);
	if (pipeline_rows(&pipeline, context, &removed, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error){ 0 };
	}
	*response = json_object();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ListImages, ImageStatus and RemoveImage: what `ctr-store` knows, in the CRI's words. */
#include "ocid-dispatch/images.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"

#include <stdbool.h>
#include <string.h>

enum {
	UID_DIGITS_MAX = 10,	/* enough for 32 bits; what is longer is taken for a name */
	NAME_LENGTH_MAX = 4096, /* of an image, with tag and digest */
	SHA256_DIGITS = 64,
	ID_DIGITS_MIN = 12, /* of an id that is given in part, as crictl does */
};

#define SHA256 "sha256:"

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
	/* kubelets leave pinned images alone; nobody can remove one that is only read */
	if (json_object_get(row, "store"))
		json_object_set_new(image, "pinned", json_true());
	return image;
}

/* The `image` field of ListImages' filter, ImageStatus and RemoveImage; "" when it is left out. */
static const char *image_name(const json_t *holder)
{
	return json_text(json_object_get(holder, "image"), "image", "");
}

/* ---- finding one ---- */

static bool is_hex(const char *text)
{
	return text[strspn(text, "0123456789abcdef")] == '\0';
}

/* True for what can be nothing else than an id or a digest. */
static bool is_digest(const char *name)
{
	return strncmp(name, SHA256, strlen(SHA256)) == 0 ||
	       (strlen(name) == SHA256_DIGITS && is_hex(name));
}

/* True when the name is what `row` has as its id, the beginning of that, or its digest. */
static bool names_digest(const json_t *row, const char *name)
{
	const char *id = json_text(row, "id", "");
	const char *hex = name;

	if (strncmp(name, SHA256, strlen(SHA256)) == 0)
		hex += strlen(SHA256);
	if (strcmp(name, json_text(row, "digest", "")) == 0)
		return true;
	return strlen(hex) >= ID_DIGITS_MIN && strncmp(id, SHA256, strlen(SHA256)) == 0 &&
	       strncmp(id + strlen(SHA256), hex, strlen(hex)) == 0;
}

static bool names_reference(const json_t *row, const struct reference *reference)
{
	cleanup_free char *full = reference_text(reference);
	cleanup_free char *name = reference_name(reference);
	cleanup_free char *by_digest =
		reference->digest ? xasprintf("%s@%s", name, reference->digest) : NULL;

	if (by_digest)
		return json_has_text(json_object_get(row, "repoDigests"), by_digest);
	return json_has_text(json_object_get(row, "names"), full);
}

/* What `ctr-store` says about `name`; *row stays NULL when it knows none, or several. The store is
 * generous to people, and takes "nginx" for quay.io/a/nginx where there is no other. A kubelet
 * would run that: for others a name is only what the image is really called. */
static int ask_store(const struct rpc_context *context, const char *name, json_t **row,
		     struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };

	pipeline_add(&pipeline, "ctr-store", "image", "--", name, NULL);
	if (pipeline_document(&pipeline, context, row, err) == 0)
		return 0;
	if (err->kind != ERROR_NOT_FOUND && err->kind != ERROR_USAGE)
		return -1;
	*err = (struct error){ 0 };
	return 0;
}

bool images_is_called(const json_t *row, const char *name)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (is_digest(name))
		return names_digest(row, name);
	if (reference_parse(name, &reference, &ignored) < 0)
		return false;
	reference_default_tag(&reference);
	return names_reference(row, &reference);
}

bool images_may_be_part(const char *name)
{
	return strlen(name) >= ID_DIGITS_MIN && is_hex(name) && !is_digest(name);
}

char *images_question(const char *name, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (strlen(name) > NAME_LENGTH_MAX) {
		error_set(err, ERROR_USAGE, "an image's name has at most %d bytes",
			  NAME_LENGTH_MAX);
		return NULL;
	}
	if (is_digest(name))
		return xstrdup(name);
	if (reference_parse(name, &reference, err) < 0)
		return NULL;
	/* as containerd does it: the image may have come by another tag */
	reference_settle(&reference);
	return reference_text(&reference);
}

int images_find(const struct rpc_context *context, const char *name, json_t **row,
		struct error *err)
{
	cleanup_free char *question = images_question(name, err);
	json_auto_t *found = NULL, *other = NULL;

	if (!question || ask_store(context, question, &found, err) < 0)
		return -1;
	if (found && images_is_called(found, name)) {
		*row = steal_ptr(&found);
		return 0;
	}
	if (!images_may_be_part(name))
		return 0;
	if (ask_store(context, name, &other, err) < 0)
		return -1;
	if (other && names_digest(other, name))
		*row = steal_ptr(&other);
	return 0;
}

int images_missing(const char *name, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "no image \"%s\"", name);
	error_subject(err, name);
	return error_hint(err, "pull it first");
}

static int find_named(const struct rpc_context *context, const json_t *request, json_t **row,
		      struct error *err)
{
	const char *name = image_name(request);

	if (!*name)
		return error_set(err, ERROR_USAGE, "the request names no image");
	return images_find(context, name, row, err);
}

static const char *first_or_id(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_array_get(json_object_get(row, key), 0));

	return text ? text : json_text(row, "id", "");
}

const char *images_name(const json_t *row)
{
	return first_or_id(row, "names");
}

const char *images_digested(const json_t *row)
{
	return first_or_id(row, "repoDigests");
}

/* ---- the handlers ---- */

static int all_images(const struct rpc_context *context, json_t **rows, struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };

	pipeline_add(&pipeline, "ctr-store", "images", NULL);
	return pipeline_rows(&pipeline, context, rows, err);
}

json_t *images_listed(const struct rpc_context *context, const json_t *request, struct error *err)
{
	const char *name = image_name(json_object_get(request, "filter"));
	json_auto_t *rows = NULL, *one = NULL, *images = json_array();
	const json_t *row;
	size_t i;

	if (*name ? images_find(context, name, &one, err) < 0 : all_images(context, &rows, err) < 0)
		return NULL;
	if (one)
		rows = json_pack("[O]", one);
	json_array_foreach (rows, i, row) {
		json_array_append_new(images, image_of(row));
	}
	return json_incref(images);
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
	json_auto_t *row = NULL;

	if (find_named(context, request, &row, err) < 0)
		return -1;
	*response = json_object();
	if (!row)
		return 0;
	json_object_set_new(*response, "image", image_of(row));
	if (json_flag(request, "verbose"))
		json_object_set_new(*response, "info", image_info(row));
	return 0;
}

/* Every name of the image goes, whichever of them is given: kubelets remove images, not tags. */
int images_remove(const struct rpc_context *context, const json_t *request, json_t **response,
		  struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	json_auto_t *row = NULL, *removed = NULL;

	if (find_named(context, request, &row, err) < 0)
		return -1;
	if (row) {
		pipeline_add(&pipeline, "ctr-store", "rm", "--image", "--all", "--",
			     json_text(row, "id", ""), NULL);
		/* somebody else may have removed it meanwhile */
		if (pipeline_rows(&pipeline, context, &removed, err) < 0 &&
		    err->kind != ERROR_NOT_FOUND)
			return -1;
	}
	*err = (struct error){ 0 };
	*response = json_object();
	return 0;
}

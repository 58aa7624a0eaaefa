/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/schema1.h"

#include "lib/base64.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/memory.h"

#include <string.h>

static const char layer_type[] = "application/vnd.docker.image.rootfs.diff.tar.gzip";

int schema1_check(const json_t *manifest, const char *what, struct error *err)
{
	const json_t *layers = json_object_get(manifest, "fsLayers"), *layer;
	const json_t *history = json_object_get(manifest, "history");
	size_t i;

	if (json_array_size(layers) == 0 || json_array_size(layers) != json_array_size(history))
		return error_set(err, ERROR_INTEGRITY,
				 "%s: a manifest of schema 1 with %zu layers and %zu entries of "
				 "history",
				 what, json_array_size(layers), json_array_size(history));
	json_array_foreach (layers, i, layer) {
		if (!digest_is_valid(json_text(layer, "blobSum", "")))
			return error_set(err, ERROR_INTEGRITY, "%s: a layer has no valid digest",
					 what);
	}
	return 0;
}

/* ---- signatures ---- */

static unsigned char *decode(const char *text, size_t *length)
{
	unsigned char *bytes = xcalloc(1, strlen(text) / 4 * 3 + 4);
	ssize_t got = base64_decode(text, strlen(text), bytes);

	*length = got < 0 ? 0 : (size_t)got;
	return bytes;
}

bool schema1_is_signed(const json_t *manifest)
{
	return json_integer_value(json_object_get(manifest, "schemaVersion")) == 1 &&
	       json_object_get(manifest, "signatures");
}

/* Whether the payload is the manifest and lacks only the signatures: nothing vouches for the header
 * that tells where it ends. */
static bool is_payload_of(const char *payload, size_t length, const json_t *manifest)
{
	struct error ignored;
	json_auto_t *json = json_parse(payload, length, "payload", &ignored);
	json_auto_t *unsigned_manifest = json_copy((json_t *)manifest);

	json_object_del(unsigned_manifest, "signatures");
	return json_equal(json, unsigned_manifest);
}

char *schema1_payload(const char *bytes, size_t length, const json_t *manifest,
		      size_t *payload_length)
{
	const json_t *first = json_array_get(json_object_get(manifest, "signatures"), 0);
	size_t size, tail_length;
	struct error ignored;

	if (!schema1_is_signed(manifest))
		return NULL;
	/* the header says where the signatures were put in, and what stood there before */
	cleanup_free unsigned char *header = decode(json_text(first, "protected", ""), &size);
	json_auto_t *json = json_parse((const char *)header, size, "signature", &ignored);
	json_int_t kept = json_integer_value(json_object_get(json, "formatLength"));
	cleanup_free unsigned char *tail = decode(json_text(json, "formatTail", ""), &tail_length);
	if (kept <= 0 || (size_t)kept > length)
		return NULL;
	cleanup_free char *payload = xcalloc(1, (size_t)kept + tail_length + 1);
	memcpy(payload, bytes, (size_t)kept);
	memcpy(payload + kept, tail, tail_length);
	*payload_length = (size_t)kept + tail_length;
	return is_payload_of(payload, *payload_length, manifest) ? steal_ptr(&payload) : NULL;
}

/* ---- layers ---- */

/* What history entry `i` says, an object; NULL where it is none. The caller owns it. */
static json_t *compatibility(const json_t *manifest, size_t i)
{
	const json_t *entry = json_array_get(json_object_get(manifest, "history"), i);
	const char *text = json_text(entry, "v1Compatibility", "");
	struct error ignored;

	return json_parse(text, strlen(text), "history", &ignored);
}

static bool is_empty(const json_t *entry)
{
	return json_is_true(json_object_get(entry, "throwaway"));
}

json_t *schema1_layers(const json_t *manifest, bool all)
{
	const json_t *layers = json_object_get(manifest, "fsLayers");
	json_t *result = json_array();

	for (size_t i = json_array_size(layers); i-- > 0;) {
		json_auto_t *entry = compatibility(manifest, i);

		if (all || !is_empty(entry))
			json_array_append_new(result, json_pack("{s:s, s:i, s:s}", "mediaType",
								layer_type, "size", -1, "digest",
								json_text(json_array_get(layers, i),
									  "blobSum", "")));
	}
	return result;
}

/* ---- the configuration ---- */

/* The command of a layer's history, its words joined by spaces; the caller frees it. */
static char *command_of(const json_t *entry)
{
	const json_t *words = json_path(entry, "container_config", "Cmd", NULL), *word;
	struct buffer text = { 0 };
	size_t i;

	json_array_foreach (words, i, word) {
		const char *next = json_string_value(word);

		if (i > 0)
			buffer_add(&text, " ");
		buffer_add(&text, next ? next : "");
	}
	return buffer_take_text(&text);
}

static json_t *history_entry(const json_t *entry)
{
	cleanup_free char *command = command_of(entry);
	json_t *history = json_object();

	if (json_object_get(entry, "created"))
		json_object_set(history, "created", json_object_get(entry, "created"));
	if (command[0])
		json_object_set_new(history, "created_by", json_string(command));
	for (int i = 0; i < 2; i++) {
		const char *key = i ? "author" : "comment";

		if (json_text(entry, key, "")[0])
			json_object_set(history, key, json_object_get(entry, key));
	}
	if (is_empty(entry))
		json_object_set_new(history, "empty_layer", json_true());
	return history;
}

json_t *schema1_config(const json_t *manifest, json_t *diff_ids, const char *what,
		       struct error *err)
{
	static const char *const dropped[] = { "id",	   "parent",	"parent_id",
					       "layer_id", "throwaway", "Size" };
	json_auto_t *config = compatibility(manifest, 0);
	json_t *history = json_array();

	if (!json_is_object(config)) {
		json_decref(history);
		error_set(err, ERROR_INTEGRITY, "%s: the history of schema 1 is malformed", what);
		return NULL;
	}
	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
		json_object_del(config, dropped[i]);
	for (size_t i = json_array_size(json_object_get(manifest, "history")); i-- > 0;) {
		json_auto_t *entry = compatibility(manifest, i);

		json_array_append_new(history, history_entry(entry));
	}
	json_object_set_new(config, "history", history);
	if (diff_ids)
		json_object_set_new(
			config, "rootfs",
			json_pack("{s:s, s:O}", "type", "layers", "diff_ids", diff_ids));
	return json_incref(config);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/signature.h"

#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/version.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int signatures_add(struct signatures *list, struct signature *signature, struct error *err)
{
	if (list->count == SIGNATURES_MAX || signature->length > SIGNATURES_BYTES_MAX ||
	    list->bytes > SIGNATURES_BYTES_MAX - signature->length)
		return error_set(err, ERROR_LIMIT,
				 "an image has more than %d signatures, or %d bytes of them",
				 SIGNATURES_MAX, SIGNATURES_BYTES_MAX);
	list->bytes += signature->length;
	list->items = xgrow(list->items, list->count, sizeof *list->items);
	list->items[list->count++] = *signature;
	*signature = (struct signature){ 0 };
	return 0;
}

bool signatures_have(const struct signatures *list, const struct signature *signature)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].length == signature->length &&
		    memcmp(list->items[i].data, signature->data, signature->length) == 0)
			return true;
	return false;
}

bool signatures_have_kind(const struct signatures *list, enum signature_kind kind)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind == kind)
			return true;
	return false;
}

struct signature signature_copy(const struct signature *signature)
{
	struct signature copy = {
		.kind = signature->kind,
		.data = xcalloc(1, signature->length + 1),
		.length = signature->length,
		.media_type = signature->media_type ? xstrdup(signature->media_type) : NULL,
		.annotations = json_incref(signature->annotations),
	};

	memcpy(copy.data, signature->data, signature->length);
	return copy;
}

void signature_free(struct signature *signature)
{
	free(signature->data);
	free(signature->media_type);
	json_decref(signature->annotations);
	*signature = (struct signature){ 0 };
}

void signatures_free(struct signatures *list)
{
	for (size_t i = 0; i < list->count; i++)
		signature_free(&list->items[i]);
	free(list->items);
	*list = (struct signatures){ 0 };
}

/* ---- files ---- */

static const char simple_mark[] = "\0simple-signing\n", sigstore_mark[] = "\0sigstore-json\n";

char *signature_to_file(const struct signature *signature, size_t *length)
{
	size_t mark = sizeof sigstore_mark - 1;

	if (signature->kind == SIGNATURE_SIMPLE) {
		*length = signature->length;
		char *copy = xcalloc(1, signature->length + 1);
		memcpy(copy, signature->data, signature->length);
		return copy;
	}
	cleanup_free char *payload = base64_encode(signature->data, signature->length);
	json_auto_t *json = json_pack("{s:s, s:s, s:O?}", "mimeType", signature->media_type,
				      "payload", payload, "annotations", signature->annotations);
	size_t size = json_dumpb(json, NULL, 0, JSON_COMPACT);
	char *bytes = xcalloc(1, mark + size);
	memcpy(bytes, sigstore_mark, mark);
	json_dumpb(json, bytes + mark, size, JSON_COMPACT);
	*length = mark + size;
	return bytes;
}

/* True when the bytes begin an OpenPGP message that can be a signature: a packet (RFC 4880, section
 * 4.2) with compressed data, a one-pass signature or a signature. */
static bool is_openpgp(const char *bytes, size_t length)
{
	enum { TAG_SIGNATURE = 2, TAG_ONE_PASS = 4, TAG_COMPRESSED = 8 };
	unsigned char first = length ? (unsigned char)bytes[0] : 0;
	int tag = first & 0x40 ? first & 0x3f : (first >> 2) & 0xf;

	return (first & 0x80) &&
	       (tag == TAG_SIGNATURE || tag == TAG_ONE_PASS || tag == TAG_COMPRESSED);
}

bool signature_annotations_are_valid(const json_t *annotations)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)annotations, key, value) {
		if (!json_is_string(value))
			return false;
	}
	return !annotations || json_is_object(annotations);
}

static int read_attachment(const char *text, size_t length, const char *what,
			   struct signature *signature, struct error *err)
{
	json_auto_t *json = json_parse(text, length, what, err);
	const char *media_type, *payload;
	json_t *annotations = NULL;

	if (!json || json_require(json, what, err, "{s:s, s:s, s?o}", "mimeType", &media_type,
				  "payload", &payload, "annotations", &annotations) < 0)
		return -1;
	if (json_is_null(annotations))
		annotations = NULL;
	if (!signature_annotations_are_valid(annotations))
		return error_set(err, ERROR_INTEGRITY, "%s: annotations that are no texts", what);
	size_t payload_length = strlen(payload);
	char *data = xcalloc(1, payload_length / 4 * 3 + 4);
	ssize_t decoded = base64_decode(payload, payload_length, (unsigned char *)data);
	if (decoded < 0) {
		free(data);
		return error_set(err, ERROR_INTEGRITY, "%s: the payload is not base64", what);
	}
	data[decoded] = '\0';
	*signature = (struct signature){
		.kind = SIGNATURE_ATTACHMENT,
		.data = data,
		.length = (size_t)decoded,
		.media_type = xstrdup(media_type),
		.annotations = json_incref(annotations),
	};
	return 0;
}

static bool has_mark(const char *bytes, size_t length, const char *mark, size_t mark_length)
{
	return length >= mark_length && memcmp(bytes, mark, mark_length) == 0;
}

int signature_from_file(const char *bytes, size_t length, const char *what,
			struct signature *signature, struct error *err)
{
	size_t mark = sizeof sigstore_mark - 1, simple = sizeof simple_mark - 1;

	if (has_mark(bytes, length, sigstore_mark, mark))
		return read_attachment(bytes + mark, length - mark, what, signature, err);
	if (has_mark(bytes, length, simple_mark, simple)) {
		bytes += simple;
		length -= simple;
	}
	if (!is_openpgp(bytes, length))
		return error_set(err, ERROR_INTEGRITY, "%s: not a signature", what);
	*signature = (struct signature){ .kind = SIGNATURE_SIMPLE, .length = length };
	signature->data = xcalloc(1, length + 1);
	memcpy(signature->data, bytes, length);
	return 0;
}

/* ---- payloads ---- */

static int check_optional(json_t *optional, struct error *err)
{
	const json_t *creator = json_object_get(optional, "creator");
	const json_t *timestamp = json_object_get(optional, "timestamp");

	/* cosign writes null */
	if (json_is_null(optional))
		return 0;
	if (!json_is_object(optional) || (creator && !json_is_string(creator)) ||
	    (timestamp && !json_is_integer(timestamp)))
		return error_set(err, ERROR_INTEGRITY,
				 "the payload of a signature: \"optional\" is malformed");
	return 0;
}

int signature_payload_parse(const char *text, size_t length, const char *type,
			    struct signature_payload *payload, struct error *err)
{
	static const char what[] = "the payload of a signature";
	json_auto_t *json = json_parse(text, length, what, err);
	const char *said_type, *digest, *reference;
	json_t *optional;

	if (!json ||
	    json_require(json, what, err, "{s:{s:s, s:{s:s !}, s:{s:s !} !}, s:o !}", "critical",
			 "type", &said_type, "image", "docker-manifest-digest", &digest, "identity",
			 "docker-reference", &reference, "optional", &optional) < 0)
		return -1;
	if (strcmp(said_type, type) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s is of the type \"%s\"", what, said_type);
	if (!digest_is_valid(digest))
		return error_set(err, ERROR_INTEGRITY, "%s names the digest \"%s\"", what, digest);
	if (check_optional(optional, err) < 0)
		return -1;
	*payload = (struct signature_payload){ .reference = reference, .json = json_incref(json) };
	memcpy(payload->digest, digest, strlen(digest) + 1);
	return 0;
}

void signature_payload_free(struct signature_payload *payload)
{
	json_decref(payload->json);
	*payload = (struct signature_payload){ 0 };
}

char *signature_payload_make(const char *type, const char *digest, const char *reference)
{
	json_auto_t *json = json_pack(
		"{s:{s:s, s:{s:s}, s:{s:s}}, s:{s:s, s:I}}", "critical", "type", type, "image",
		"docker-manifest-digest", digest, "identity", "docker-reference", reference,
		"optional", "creator", "ocid " OCID_VERSION, "timestamp", (json_int_t)time(NULL));

	return json_compact(json);
}

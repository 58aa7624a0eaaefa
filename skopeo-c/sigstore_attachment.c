/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore's signatures as an image beside the image: the tag sha256-HEX.sig, whose manifest has a
 * layer for each signature (cosign's SIGNATURE_SPEC). */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/referrers_tag.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* 1: there is none. */
static int get_manifest(struct transport *t, const char *tag, struct manifest *manifest,
			struct error *err)
{
	if (docker_get_tagged(t, tag, manifest, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 1 : -1;
	if (strcmp(manifest->media_type, MANIFEST_OCI) == 0)
		return 0;
	error_set(err, ERROR_INTEGRITY, "%s: the signatures under %s are a %s", t->name, tag,
		  manifest->media_type);
	manifest_free(manifest);
	return -1;
}

/* ---- reading ---- */

static int add_layer(struct transport *t, const json_t *layer, struct signatures *signatures,
		     struct error *err)
{
	json_t *annotations = json_object_get(layer, "annotations");
	struct blob blob;

	if (blob_from_json(layer, t->name, &blob, err) < 0)
		return -1;
	if (!signature_annotations_are_valid(annotations))
		return error_set(err, ERROR_INTEGRITY,
				 "%s: a signature has annotations that are no texts", t->name);
	cleanup_signature struct signature signature = {
		.kind = SIGNATURE_ATTACHMENT,
		.data = transport_read_blob(t, &blob, err),
		.length = (size_t)blob.size,
	};
	if (!signature.data)
		return -1;
	signature.media_type = xstrdup(blob.media_type);
	signature.annotations = json_incref(annotations);
	if (signatures_add(signatures, &signature, err) < 0)
		return error_prefix(err, "%s", t->name);
	return 0;
}

int sigstore_attachment_get(struct transport *t, const char *digest, struct signatures *signatures,
			    struct error *err)
{
	cleanup_free char *tag = referrers_tag(digest, ".sig");
	cleanup_manifest struct manifest manifest = { 0 };
	const json_t *layer;
	size_t i;
	int status = get_manifest(t, tag, &manifest, err);

	if (status != 0)
		return status < 0 ? -1 : 0;
	json_array_foreach (json_object_get(manifest.json, "layers"), i, layer) {
		if (add_layer(t, layer, signatures, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- writing ---- */

/* Upload a small blob; its descriptor, which the caller owns. */
static json_t *put_blob(struct transport *t, const char *bytes, size_t length,
			const char *media_type, struct error *err)
{
	char digest[DIGEST_SIZE];
	const struct blob blob = { digest, (json_int_t)length, media_type, NULL };
	json_auto_t *in_place = json_object();
	struct progress silent = { .events_fd = -1 };
	cleanup_fd int fd = memfd_create("signature", MFD_CLOEXEC);
	struct transfer transfer = {
		.http = docker_registry(t)->http,
		.from = t,
		.to = t,
		.progress = &silent,
		.held_digest = digest,
		.held_fd = fd,
		.in_place = in_place,
	};

	if (fd < 0) {
		error_os(err, "cannot hold a signature in memory");
		return NULL;
	}
	digest_of(bytes, length, "sha256", digest);
	if (file_write_fd(fd, bytes, length, "signature", err) < 0 ||
	    transfer_blobs(&transfer, &blob, 1, err) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
			 blob.size);
}

/* The attachment's config: a file system of layers that are signatures. */
static json_t *read_config(struct transport *t, const struct manifest *manifest, struct error *err)
{
	struct blob blob;

	if (!manifest->json)
		return json_pack("{s:s, s:s, s:{}, s:{s:s, s:[]}}", "architecture", "", "os", "",
				 "config", "rootfs", "type", "layers", "diff_ids");
	if (blob_from_json(json_object_get(manifest->json, "config"), t->name, &blob, err) < 0)
		return NULL;
	cleanup_free char *text = transport_read_blob(t, &blob, err);
	json_t *config = text ? json_parse(text, (size_t)blob.size, t->name, err) : NULL;
	if (config && !json_is_array(json_path(config, "rootfs", "diff_ids", NULL))) {
		error_set(err, ERROR_INTEGRITY, "%s: the config of the signatures has no diff_ids",
			  t->name);
		json_decref(config);
		return NULL;
	}
	return config;
}

static bool is_layer(const json_t *layer, const struct signature *signature)
{
	char digest[DIGEST_SIZE];

	digest_of(signature->data, signature->length, "sha256", digest);
	return strcmp(json_text(layer, "digest", ""), digest) == 0 &&
	       strcmp(json_text(layer, "mediaType", ""), signature->media_type) == 0 &&
	       json_equal(json_object_get(layer, "annotations"), signature->annotations);
}

static bool has_layer(const json_t *layers, const struct signature *signature)
{
	const json_t *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
		if (is_layer(layer, signature))
			return true;
	}
	return false;
}

/* Add the missing signatures to the layers and their digests to diff_ids. Returns how many. */
static int add_missing(struct transport *t, const struct signatures *signatures, json_t *layers,
		       json_t *diff_ids, struct error *err)
{
	int added = 0;

	for (size_t i = 0; i < signatures->count; i++) {
		const struct signature *signature = &signatures->items[i];

		if (signature->kind != SIGNATURE_ATTACHMENT || has_layer(layers, signature))
			continue;
		json_t *layer =
			put_blob(t, signature->data, signature->length, signature->media_type, err);
		if (!layer)
			return -1;
		if (signature->annotations)
			json_object_set(layer, "annotations", signature->annotations);
		json_array_append_new(layers, layer);
		json_array_append(diff_ids, json_object_get(layer, "digest"));
		added++;
	}
	if (json_array_size(layers) > SIGNATURES_MAX)
		return error_set(err, ERROR_LIMIT, "%s would have more than %d signatures", t->name,
				 SIGNATURES_MAX);
	return added;
}

static int put_attachment(struct transport *t, const char *tag, json_t *json, const json_t *config,
			  struct error *err)
{
	cleanup_free char *config_text = json_compact(config);
	json_t *descriptor = put_blob(t, config_text, strlen(config_text), CONFIG_OCI, err);
	cleanup_manifest struct manifest manifest = { 0 };

	if (!descriptor)
		return -1;
	json_object_set_new(json, "config", descriptor);
	char *text = json_compact(json);
	if (manifest_parse(text, strlen(text), MANIFEST_OCI, NULL, t->name, &manifest, err) < 0)
		return -1;
	return docker_put_tagged(t, tag, &manifest, err);
}

int sigstore_attachment_put(struct transport *t, const char *digest,
			    const struct signatures *signatures, struct error *err)
{
	cleanup_free char *tag = referrers_tag(digest, ".sig");
	cleanup_manifest struct manifest present = { 0 };
	int status = get_manifest(t, tag, &present, err);

	if (status < 0)
		return -1;
	json_auto_t *config = read_config(t, &present, err);
	if (!config)
		return -1;
	json_auto_t *json = present.json ? json_incref(present.json)
					 : json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2,
						     "mediaType", MANIFEST_OCI, "layers");
	status = add_missing(t, signatures, json_object_get(json, "layers"),
			     json_path(config, "rootfs", "diff_ids", NULL), err);
	return status <= 0 ? status : put_attachment(t, tag, json, config, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes, OCI's and Docker's schema 2 (image-spec manifest.md, image-index.md). The
 * bytes are what counts: they are carried as they came, and checked before anything in them is
 * used. Pure: bytes in, structure out.
 */
#pragma once
#include "lib/digest.h"
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define MANIFEST_OCI	     "application/vnd.oci.image.manifest.v1+json"
#define MANIFEST_OCI_INDEX   "application/vnd.oci.image.index.v1+json"
#define MANIFEST_DOCKER	     "application/vnd.docker.distribution.manifest.v2+json"
#define MANIFEST_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MANIFEST_DOCKER_V1   "application/vnd.docker.distribution.manifest.v1+prettyjws"
#define CONFIG_OCI	     "application/vnd.oci.image.config.v1+json"
#define CONFIG_DOCKER	     "application/vnd.docker.container.image.v1+json"
#define LAYER_OCI_GZIP	     "application/vnd.oci.image.layer.v1.tar+gzip"

/* For the Accept header, in the order of what is most common. */
#define MANIFEST_ACCEPT                                                                            \
	MANIFEST_OCI ", " MANIFEST_DOCKER ", " MANIFEST_OCI_INDEX ", " MANIFEST_DOCKER_LIST        \
		     ", application/vnd.docker.distribution.manifest.v1+prettyjws"                 \
		     ", application/vnd.docker.distribution.manifest.v1+json"

enum { MANIFEST_MAX = 4 << 20 }; /* bytes */

struct manifest {
	char *bytes; /* exactly as they came; NUL-terminated */
	size_t length;
	char digest[DIGEST_SIZE];
	const char *media_type; /* one of the five above */
	bool is_index;
	bool is_schema1; /* Docker's first, which has neither config nor layers: see schema1.h */
	json_t *json;
};

/* Check and parse; takes over `bytes`, also where it fails. content_type: what the transport says
 * it is, NULL where it does not. expected: the digest it was asked for by, or NULL. */
int manifest_parse(char *bytes, size_t length, const char *content_type, const char *expected,
		   const char *what, struct manifest *manifest, struct error *err);
void manifest_free(struct manifest *manifest);
#define cleanup_manifest __attribute__((cleanup(manifest_free)))

/* What an entry of an index names has to be what the entry says of it. */
struct blob;
int manifest_check_entry(const struct manifest *manifest, const struct blob *entry,
			 const char *what, struct error *err);

/* True for the configuration of an image: anything else is another artifact's. */
bool manifest_is_image_config(const char *media_type);

/* {mediaType, digest, size} of the manifest itself; the caller owns it. */
json_t *manifest_descriptor(const struct manifest *manifest);

/* A descriptor: the parts that a copy needs. Its text is borrowed from the JSON. */
struct blob {
	const char *digest;
	json_int_t size;
	const char *media_type;
	const json_t *urls; /* where it can be had, too, an array; or NULL */
};

/* Read a descriptor whose digest and size are valid. */
int blob_from_json(const json_t *descriptor, const char *what, struct blob *blob,
		   struct error *err);

/* Add the config and the layers of a manifest that is no index; there is room for them. */
void manifest_add_blobs(const struct manifest *manifest, struct blob *blobs, size_t *count);

/* True for layers that must not be given away ("foreign", nondistributable): where they are is
 * said.
 */
bool blob_is_foreign(const struct blob *blob);

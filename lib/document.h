/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container document (man 7 ocid): the JSON object that flows through the pipeline. Each tool
 * adds one field and leaves every other as it found it.
 *
 *   image    {name, descriptor, manifest, config}       skopeo-c    OCI image-spec
 *   rootfs   {id, path, bundle, layers}                 ctr-store   ours
 *   network  {netns, attachments: [{network, ifname, result}]}  ctr-net   CNI results
 *   config   the container's config.json                oci-gen     OCI runtime-spec
 *   process  {id, pid, startTime, logPath, status, …}   ocid-shim   ours
 *   cri      {pod, container, sandbox}                  the caller  CRI v1
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct cli;

/* Read one document from stdin, which must not be a terminal. The caller owns it. */
json_t *document_read(struct error *err);

/* Open the bundle. */
int document_open_bundle(const json_t *document, struct error *err);

/* rootfs.id or rootfs.bundle; NULL with a usage error that says which tool must stand before.
 * Borrowed. */
const char *document_id(const json_t *document, struct error *err);
const char *document_bundle(const json_t *document, struct error *err);

/* Set `field`, save the document in its bundle where it has one (BUNDLE/document.json, replaced
 * atomically), and print it. Takes a reference of its own to value. */
int document_finish(const struct cli *cli, json_t *document, const char *field, json_t *value,
		    struct error *err);

/* The same with a value that is compact text already. The field of `document` itself need not be
 * set then. */
int document_finish_text(const struct cli *cli, json_t *document, const char *field,
			 const char *value, struct error *err);

/* Save without printing. */
int document_save(const json_t *document, struct error *err);

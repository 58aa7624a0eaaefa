/* SPDX-License-Identifier: Apache-2.0 */
/* PullImage: layers are unpacked while they still download. */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/registry_auth.h"

#include <string.h>

/* The image's id, the digest of its configuration, from the document that the line prints. */
static int image_id(const json_t *document, const char **id, struct error *err)
{
	const json_t *config = json_path(document, "image", "manifest", "config", NULL);

	*id = json_text(config, "digest", "");
	if (!**id)
		return error_set(err, ERROR_INTEGRITY, "the pulled image has no configuration");
	return 0;
}

static int pull(const struct rpc_context *context, const char *name, int auth_fd, json_t **document,
		struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { .pass_fd = auth_fd };
	struct strings *copy = pipeline_add(&pipeline, "skopeo-c", "copy", "--events", "1", NULL);

	if (auth_fd > 0) {
		/* mirrors may have credentials in the node's files */
		strings_add(copy, "--src-first-authfile");
		strings_addf(copy, "/dev/fd/%d", auth_fd);
	}
	strings_addf(copy, "docker://%s", name);
	strings_add(copy, "store:");
	pipeline_add(&pipeline, "ctr-store", "unpack", NULL);
	return pipeline_document(&pipeline, context, document, err);
}

/* Kubelets know some failures by the word with which their message begins, as long as the status is
 * UNKNOWN (cri-api, pkg/errors). */
static int name_failure(struct error *err)
{
	const char *name = NULL;

	if (strstr(err->message, " is refused by the policy"))
		name = "SignatureValidationFailed";
	else if (err->kind == ERROR_TEMPORARY && !cli_interrupted())
		name = "RegistryUnavailable";
	if (!name)
		return -1;
	err->kind = ERROR_FAILED;
	return error_prefix(err, "%s", name);
}

int images_pull(const struct rpc_context *context, const json_t *request, json_t **response,
		struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	json_auto_t *document = NULL;
	const json_t *image = json_object_get(request, "image");
	const char *id, *text = json_text(image, "image", "");

	if (!*text)
		return error_set(err, ERROR_USAGE, "the request names no image");
	/* to all of them an image is the same, but api.proto wants unknown ones refused */
	if (!configuration_runtime(context->configuration, json_text(image, "runtimeHandler", ""),
				   err) ||
	    reference_parse(text, &reference, err) < 0)
		return -1;
	reference_default_tag(&reference);

	cleanup_free char *name = reference_text(&reference);
	cleanup_fd int auth_fd =
		registry_auth_file(json_object_get(request, "auth"), reference.registry, err);
	if (auth_fd < 0)
		return -1;
	if (pull(context, name, auth_fd, &document, err) < 0)
		return name_failure(err);
	if (image_id(document, &id, err) < 0)
		return -1;
	*response = json_pack("{s:s}", "imageRef", id);
	return 0;
}

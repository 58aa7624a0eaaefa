/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what an image is, without fetching its layers. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/image.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inspect_settings {
	struct access access;
	struct platform_choice platform;
	bool raw, config, no_tags;
};

static const struct inspect_settings defaults = {
	.access = { .tls_verify = true, .retry_times = -1 },
};

#define FIELD(name) offsetof(struct inspect_settings, name)

static const struct cli_option options[] = {
	{ "raw", 0, NULL, OPTION_FLAG, FIELD(raw), "the bytes of the manifest (or of the config)" },
	{ "config", 0, NULL, OPTION_FLAG, FIELD(config), "the image config" },
	{ "no-tags", 'n', NULL, OPTION_FLAG, FIELD(no_tags),
	  "leave out RepoTags: one request less" },
	{ "override-os", 0, "OS", OPTION_STRING, FIELD(platform.os),
	  "choose from an index for OS, not this machine's" },
	{ "override-arch", 0, "ARCH", OPTION_STRING, FIELD(platform.architecture),
	  "for ARCH, as Go names it" },
	{ "override-variant", 0, "VARIANT", OPTION_STRING, FIELD(platform.variant),
	  "for this variant of the architecture" },
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(access.tls_verify),
	  "insist on https and its certificates (default)" },
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(access.authfile),
	  "credentials as containers-auth.json(5) has them" },
	{ "creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(access.creds), "credentials" },
	{ "no-creds", 0, NULL, OPTION_FLAG, FIELD(access.no_creds), "go without credentials" },
	{ "cert-dir", 0, "DIR", OPTION_STRING, FIELD(access.cert_dir),
	  "certificates for the registry" },
	{ "retry-times", 0, "N", OPTION_NUMBER, FIELD(access.retry_times),
	  "try again N times after what may pass (default 2)" },
	{ 0 },
};

struct inspection {
	const struct cli *cli;
	const struct inspect_settings *settings;
	struct http *http; /* NULL where no registry takes part */
	struct transport from;
	struct tags tags; /* under way while the manifest and the config are read */
	struct manifest manifest;
	char digest[DIGEST_SIZE]; /* of what the name stands for, an index or a manifest */
	struct image image;
};

static void inspection_close(struct inspection *inspection)
{
	tags_free(&inspection->tags);
	image_free(&inspection->image);
	manifest_free(&inspection->manifest);
	transport_close(&inspection->from);
	http_free(inspection->http);
}

#define cleanup_inspection __attribute__((cleanup(inspection_close)))

static int print_bytes(const char *bytes, size_t length, struct error *err)
{
	if (fwrite(bytes, 1, length, stdout) != length)
		return error_os(err, "standard output");
	return 0;
}

/* The tags, or none where the registry keeps them to itself: that alone is no reason to say
 * nothing about the image. */
static json_t *take_tags(struct inspection *inspection, struct error *err)
{
	if (!inspection->tags.registry)
		return json_array();
	if (tags_wait(&inspection->tags, err) == 0)
		return json_incref(inspection->tags.list);
	if (err->kind != ERROR_DENIED && err->kind != ERROR_NOT_FOUND &&
	    err->kind != ERROR_UNSUPPORTED)
		return NULL;
	log_message(LOG_LEVEL_WARN, "%s", err->message);
	return json_array();
}

static json_t *or_null(const json_t *value)
{
	return value ? json_incref((json_t *)value) : json_null();
}

static void add_layers(const struct manifest *manifest, json_t *result)
{
	json_t *digests = json_array(), *data = json_array();
	const json_t *layer;
	size_t i;

	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		json_array_append(digests, json_object_get(layer, "digest"));
		json_array_append_new(data,
				      json_pack("{s:O, s:O, s:O, s:o}", "MIMEType",
						json_object_get(layer, "mediaType"), "Digest",
						json_object_get(layer, "digest"), "Size",
						json_object_get(layer, "size"), "Annotations",
						or_null(json_object_get(layer, "annotations"))));
	}
	json_object_set_new(result, "Layers", digests);
	json_object_set_new(result, "LayersData", data);
}

/* The name without tag and digest. Only registries have one, as in skopeo. */
static void add_name(const struct transport *from, json_t *result)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if (!transport_is_docker(from) ||
	    reference_parse(from->reference, &reference, &ignored) < 0)
		return;
	cleanup_free char *name = reference_name(&reference);
	json_object_set_new(result, "Name", json_string(name));
}

static int print_summary(struct inspection *inspection, struct error *err)
{
	const json_t *config = inspection->image.config;
	const json_t *inner = json_object_get(config, "config");
	json_t *tags = take_tags(inspection, err);

	if (!tags)
		return -1;
	json_auto_t *result =
		json_pack("{s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:o}", "Digest", inspection->digest,
			  "RepoTags", tags, "Created", or_null(json_object_get(config, "created")),
			  "DockerVersion", json_text(config, "docker_version", ""), "Labels",
			  or_null(json_object_get(inner, "Labels")), "Architecture",
			  json_text(config, "architecture", ""), "Os", json_text(config, "os", ""),
			  "Env", or_null(json_object_get(inner, "Env")));
	add_name(&inspection->from, result);
	add_layers(&inspection->manifest, result);
	return output_object(inspection->cli, result, err);
}

static int print_config(struct inspection *inspection, struct error *err)
{
	const struct image *image = &inspection->image;

	if (inspection->settings->raw)
		return print_bytes(image->config_bytes, (size_t)image->config_blob.size, err);
	if (!image->config)
		return error_set(err, ERROR_UNSUPPORTED, "%s: the config is no JSON object",
				 inspection->from.name);
	return output_object(inspection->cli, image->config, err);
}

static int open_source(struct inspection *inspection, struct error *err)
{
	const struct inspect_settings *settings = inspection->settings;
	const char *name = inspection->cli->operands[0];
	bool is_registry = strncmp(name, "docker://", 9) == 0;

	if (is_registry && !(inspection->http = http_new(err)))
		return -1;
	const struct transport_settings source = {
		.cli = inspection->cli,
		.http = inspection->http,
		.access = settings->access,
	};
	if (transport_open(&inspection->from, name, &source, err) < 0)
		return -1;
	if (!is_registry || settings->no_tags || settings->raw || settings->config)
		return 0;
	struct registry *registry = docker_origin(&inspection->from, err);
	if (!registry)
		return -1;
	tags_start(&inspection->tags, registry);
	return 0;
}

static int inspect_run(const struct cli *cli, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;
	cleanup_inspection struct inspection inspection = { .cli = cli, .settings = settings };
	struct transport *from = &inspection.from;
	struct manifest *manifest = &inspection.manifest;
	json_auto_t *platform = platform_wanted(&settings->platform);

	if (open_source(&inspection, err) < 0 ||
	    from->class->get_manifest(from, NULL, manifest, err) < 0)
		return -1;
	if (settings->raw && !settings->config)
		return print_bytes(manifest->bytes, manifest->length, err);
	memcpy(inspection.digest, manifest->digest, sizeof inspection.digest);
	if (plan_choose(from, manifest, platform, err) < 0 ||
	    image_read(from, manifest, &inspection.image, err) < 0)
		return -1;
	return settings->config ? print_config(&inspection, err) : print_summary(&inspection, err);
}

const struct cli_command inspect_command = {
	.name = "inspect",
	.operands = "IMAGE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "show what an image is, without fetching its layers",
	.details = "IMAGE is docker://NAME, oci:PATH[:REF], dir:PATH, tarball:PATH[:PATH...] or\n"
		   "store:NAME.",
	.options = options,
	.settings_size = sizeof(struct inspect_settings),
	.defaults = &defaults,
	.run = inspect_run,
};

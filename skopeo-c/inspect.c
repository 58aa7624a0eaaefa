/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what an image is, without fetching its layers. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/image.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/schema1.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/template.h"
#include "skopeo-c/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LINE_SIZE = 4096 }; /* with its end */

struct inspect_settings {
	struct access access;
	struct platform_choice platform;
	bool raw, config, no_tags;
	const char *format, *algorithm, *blob_dir, *daemon;
};

static const struct inspect_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct inspect_settings, name)

static const struct cli_option options[] = {
	{ "raw", 0, NULL, OPTION_FLAG, FIELD(raw), "the bytes of the manifest (or of the config)" },
	{ "config", 0, NULL, OPTION_FLAG, FIELD(config), "the image config" },
	{ "format", 'f', "TEMPLATE", OPTION_STRING, FIELD(format),
	  "text with fields in it: {{.Digest}}, {{json .Labels}}" },
	{ "no-tags", 'n', NULL, OPTION_FLAG, FIELD(no_tags),
	  "leave out RepoTags: one request less" },
	{ "manifest-digest", 0, "ALGORITHM", OPTION_STRING, FIELD(algorithm),
	  "let Digest be by sha256 or sha512" },
	{ "shared-blob-dir", 0, "DIR", OPTION_STRING, FIELD(blob_dir),
	  "where the blobs of oci: are instead" },
	{ "daemon-host", 0, "HOST", OPTION_STRING, FIELD(daemon),
	  "where docker-daemon: is, unix://PATH" },
	PLATFORM_OPTIONS(platform),
	ACCESS_OPTIONS,
	{ 0 },
};

struct inspection {
	const struct cli *cli;
	const struct inspect_settings *settings;
	struct transport from;
	struct tags tags;   /* under way while the config is read */
	json_t *known_tags; /* all of them, or NULL */
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
	json_decref(inspection->known_tags);
	*inspection = (struct inspection){ 0 };
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
	if (inspection->known_tags)
		return json_incref(inspection->known_tags);
	if (!inspection->tags.registry)
		return json_array();
	if (tags_wait(&inspection->tags, err) == 0) {
		inspection->known_tags = json_incref(inspection->tags.list);
		return json_incref(inspection->tags.list);
	}
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
	json_auto_t *layers = manifest->is_schema1
				      ? schema1_layers(manifest->json, true)
				      : json_incref(json_object_get(manifest->json, "layers"));
	const json_t *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
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

/* What skopeo's inspect prints; the caller owns it. */
static json_t *summarize(struct inspection *inspection, struct error *err)
{
	const json_t *config = inspection->image.config;
	const json_t *inner = json_object_get(config, "config");
	json_t *tags = take_tags(inspection, err);

	if (!tags)
		return NULL;
	json_t *result =
		json_pack("{s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:o}", "Digest", inspection->digest,
			  "RepoTags", tags, "Created", or_null(json_object_get(config, "created")),
			  "DockerVersion", json_text(config, "docker_version", ""), "Labels",
			  or_null(json_object_get(inner, "Labels")), "Architecture",
			  json_text(config, "architecture", ""), "Os", json_text(config, "os", ""),
			  "Env", or_null(json_object_get(inner, "Env")));
	add_name(&inspection->from, result);
	add_layers(&inspection->manifest, result);
	return result;
}

/* The image config; borrowed. */
static json_t *config_of(const struct inspection *inspection, struct error *err)
{
	if (!inspection->image.config)
		error_set(err, ERROR_UNSUPPORTED, "%s: the config is no JSON object",
			  inspection->from.name);
	return inspection->image.config;
}

/* The tags of the repository are those that `earlier` has found, where it is the same one. */
static int start_tags(struct inspection *inspection, struct inspection *earlier, struct error *err)
{
	struct registry *registry = docker_origin(&inspection->from, err);

	if (!registry)
		return -1;
	const struct registry *theirs =
		earlier && earlier->known_tags ? docker_origin(&earlier->from, err) : NULL;
	if (theirs && strcmp(theirs->name, registry->name) == 0 &&
	    strcmp(theirs->repository, registry->repository) == 0)
		inspection->known_tags = json_incref(earlier->known_tags);
	else
		tags_start(&inspection->tags, registry);
	return 0;
}

/* Read the manifest; not more where just its bytes are wanted. */
static int look(struct inspection *inspection, const char *name, struct http **http,
		struct inspection *earlier, struct error *err)
{
	const struct inspect_settings *settings = inspection->settings;

	if (transport_names_registry(name) && !*http && !(*http = http_new(err)))
		return -1;
	const struct transport_settings source = {
		.cli = inspection->cli,
		.http = *http,
		.access = settings->access,
		.blob_dir = settings->blob_dir,
		.daemon = settings->daemon,
		.earlier = earlier ? &earlier->from : NULL,
	};
	struct transport *from = &inspection->from;
	if (transport_open(from, name, &source, err) < 0)
		return -1;
	struct manifest *manifest = &inspection->manifest;
	if (from->class->get_manifest(from, NULL, manifest, err) < 0)
		return -1;
	if (settings->raw && !settings->config)
		return 0;
	/* now that it is known how to speak to the registry, and who we are */
	if (transport_is_docker(from) && !settings->no_tags && !settings->raw &&
	    !settings->config && start_tags(inspection, earlier, err) < 0)
		return -1;
	if (settings->algorithm)
		digest_of(manifest->bytes, manifest->length, settings->algorithm,
			  inspection->digest);
	else
		memcpy(inspection->digest, manifest->digest, sizeof inspection->digest);
	json_auto_t *platform = platform_wanted(&settings->platform);
	if (plan_choose(from, manifest, platform, err) < 0)
		return -1;
	if (!manifest->is_schema1)
		return image_read(from, manifest, &inspection->image, err);
	inspection->image.config = schema1_config(manifest->json, NULL, from->name, err);
	return inspection->image.config ? 0 : -1;
}

static int print_result(const struct cli *cli, const json_t *result, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;

	/* of a configuration what is missing is missing */
	json_auto_t *zeros = settings->config
				     ? NULL
				     : json_pack("{s:s, s:[], s:{}}", "Name", "", "Env", "Labels");

	return template_output(cli, settings->format, result, zeros, err);
}

static int inspect_one(const struct cli *cli, struct http **http, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;
	cleanup_inspection struct inspection inspection = { .cli = cli, .settings = settings };
	const struct image *image = &inspection.image;

	if (look(&inspection, cli->operands[0], http, NULL, err) < 0)
		return -1;
	if (settings->raw && settings->config && image->manifest == NULL)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: an image of schema 1 has no configuration of its own",
				 inspection.from.name);
	if (settings->raw)
		return settings->config ? print_bytes(image->config_bytes,
						      (size_t)image->config_blob.size, err)
					: print_bytes(inspection.manifest.bytes,
						      inspection.manifest.length, err);
	json_auto_t *result = settings->config ? json_incref(config_of(&inspection, err))
					       : summarize(&inspection, err);
	return result ? print_result(cli, result, err) : -1;
}

/* ---- many ---- */

struct inspections {
	const struct cli *cli;
	struct http **http;
	struct inspection *last; /* the latest that was good, owned; or NULL */
	size_t count, failed;
	enum error_kind kind; /* of the failures, where it is the same for all */
};

static void inspection_free(struct inspection *inspection)
{
	if (inspection)
		inspection_close(inspection);
	free(inspection);
}

static json_t *describe(struct inspection *inspection, struct error *err)
{
	if (!inspection->settings->config)
		return summarize(inspection, err);
	json_t *config = config_of(inspection, err);
	return config ? json_pack("{s:O}", "Config", config) : NULL;
}

/* What there is to say of an image, or NULL. */
static json_t *judge(struct inspections *all, const char *name, struct error *err)
{
	struct inspection *inspection = xcalloc(1, sizeof *inspection);
	json_t *result = NULL;

	inspection->cli = all->cli;
	inspection->settings = all->cli->settings;
	if (look(inspection, name, all->http, all->last, err) == 0)
		result = describe(inspection, err);
	if (!result) {
		inspection_free(inspection);
		return NULL;
	}
	inspection_free(all->last);
	all->last = inspection;
	return result;
}

/* One line: what the image is, or why that cannot be said. */
static int inspect_next(struct inspections *all, const char *name, struct error *err)
{
	struct error problem = { 0 };
	json_auto_t *row = judge(all, name, &problem);

	if (cli_interrupted())
		return error_set(err, ERROR_FAILED, "interrupted");
	all->count++;
	if (!row) {
		row = json_pack("{s:o}", "error",
				error_json(&problem, all->cli->tool, all->cli->verb));
		if (all->failed++ == 0)
			all->kind = problem.kind;
		else if (all->kind != problem.kind)
			all->kind = ERROR_FAILED;
	}
	json_object_set_new(row, "Image", json_string(name));
	return json_object_get(row, "error") ? output_object(all->cli, row, err)
					     : print_result(all->cli, row, err);
}

/* The names on standard input, one a line. */
static int inspect_stdin(struct inspections *all, struct error *err)
{
	char line[NAME_LINE_SIZE];

	while (fgets(line, sizeof line, stdin)) {
		size_t length = strcspn(line, "\r\n");

		if (line[length] == '\0' && !feof(stdin))
			return error_set(err, ERROR_USAGE,
					 "a line of standard input has more than %d bytes",
					 NAME_LINE_SIZE - 2);
		line[length] = '\0';
		if (length > 0 && inspect_next(all, line, err) < 0)
			return -1;
	}
	return ferror(stdin) ? error_os(err, "standard input") : 0;
}

static int inspect_many(const struct cli *cli, struct http **http, struct error *err)
{
	struct inspections all = { .cli = cli, .http = http };
	int status = 0;

	for (int i = 0; status == 0 && i < cli->operand_count; i++)
		status = strcmp(cli->operands[i], "-") == 0
				 ? inspect_stdin(&all, err)
				 : inspect_next(&all, cli->operands[i], err);
	inspection_free(all.last);
	if (status < 0 || all.failed == 0)
		return status;
	return error_set(err, all.kind, "%zu of %zu images cannot be inspected", all.failed,
			 all.count);
}

static int inspect_run(const struct cli *cli, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;
	cleanup_http struct http *http = NULL;

	if (template_check(settings->format, err) < 0)
		return -1;
	if (settings->algorithm && strcmp(settings->algorithm, "sha256") != 0 &&
	    strcmp(settings->algorithm, "sha512") != 0)
		return cli_usage(cli, err, "--manifest-digest is sha256 or sha512");
	if (settings->raw && settings->format)
		return cli_usage(cli, err, "--raw prints bytes, and --format fields");
	if (cli->operand_count == 1 && strcmp(cli->operands[0], "-") != 0)
		return inspect_one(cli, &http, err);
	if (settings->raw)
		return cli_usage(cli, err, "--raw is for one image");
	return inspect_many(cli, &http, err);
}

const struct cli_command inspect_command = {
	.name = "inspect",
	.operands = "IMAGE...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "show what an image is, without fetching its layers",
	.details =
		"IMAGE is docker://NAME, oci:PATH[:REF], docker-archive:PATH[:NAME], store:NAME\n"
		"or of another transport, see skopeo-c(1). Of several, and of those that \"-\"\n"
		"reads from standard input, each is a line of its own, with the reason where it\n"
		"cannot be inspected.",
	.options = options,
	.settings_size = sizeof(struct inspect_settings),
	.defaults = &defaults,
	.run = inspect_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what an image is, without fetching its layers. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/go_time.h"
#include "skopeo-c/inspect_names.h"
#include "skopeo-c/inspection.h"
#include "skopeo-c/template.h"
#include "skopeo-c/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	TOGETHER = 8,	   /* images that are looked at */
	ENTRIES_MAX = 1000 /* of an index, with those in it */
};

static const struct inspect_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct inspect_settings, name)

static const struct cli_option options[] = {
	{ "raw", 0, NULL, OPTION_FLAG, FIELD(raw),
	  "print the manifest (or the config) byte for byte" },
	{ "config", 0, NULL, OPTION_FLAG, FIELD(config), "print the image configuration" },
	{ "format", 'f', "TEMPLATE", OPTION_STRING, FIELD(format),
	  "print a template: {{.Digest}}, {{json .Labels}}" },
	{ "all", 'a', NULL, OPTION_FLAG, FIELD(all),
	  "every image of an index, one line each, with Platform and Size" },
	{ "no-tags", 'n', NULL, OPTION_FLAG, FIELD(no_tags),
	  "do not list RepoTags, which saves a request" },
	{ "manifest-digest", 0, "sha256|sha512", OPTION_CHOICE, FIELD(algorithm),
	  "hash algorithm for Digest" },
	{ "shared-blob-dir", 0, "DIR", OPTION_STRING, FIELD(blob_dir),
	  "directory with the blobs of oci:" },
	{ "daemon-host", 0, "HOST", OPTION_STRING, FIELD(daemon),
	  "address of docker-daemon:, unix://PATH" },
	PLATFORM_OPTIONS(platform),
	ACCESS_OPTIONS,
	{ 0 },
};

static int print_bytes(const char *bytes, size_t length, struct error *err)
{
	if (fwrite(bytes, 1, length, stdout) != length)
		return error_os(err, "standard output");
	return 0;
}

static json_t *or_null(const json_t *value)
{
	return value ? json_incref((json_t *)value) : json_null();
}

/* Schema 1 does not say of what type a layer is. */
static json_t *layer_type(const struct inspection *inspection, const json_t *layer)
{
	return inspection->manifest.is_schema1 ? json_string("")
					       : json_incref(json_object_get(layer, "mediaType"));
}

static void add_layers(const struct inspection *inspection, json_t *result)
{
	json_t *digests = json_array(), *data = json_array();
	const json_t *layer;
	size_t i;

	json_array_foreach (inspection->layers, i, layer) {
		json_array_append(digests, json_object_get(layer, "digest"));
		json_array_append_new(data,
				      json_pack("{s:o, s:O, s:O, s:o}", "MIMEType",
						layer_type(inspection, layer), "Digest",
						json_object_get(layer, "digest"), "Size",
						json_object_get(layer, "size"), "Annotations",
						or_null(json_object_get(layer, "annotations"))));
	}
	json_object_set_new(result, "Layers", digests);
	json_object_set_new(result, "LayersData", data);
}

/* What a list of an index's images is read for. */
static void add_platform(const struct inspection *inspection, json_t *result)
{
	const json_t *platform = json_object_get(inspection->entry, "platform"), *layer;
	const char *variant;
	json_int_t size = 0;
	size_t i;

	if (!platform)
		platform = inspection->config;
	variant = json_text(platform, "variant", "");
	json_object_set_new(result, "Platform",
			    json_sprintf("%s/%s%s%s", json_text(platform, "os", ""),
					 json_text(platform, "architecture", ""),
					 variant[0] ? "/" : "", variant));
	json_array_foreach (inspection->layers, i, layer)
		size += json_integer_value(json_object_get(layer, "size"));
	json_object_set_new(result, "Size", json_integer(size));
}

/* What skopeo, which reads it as a time, makes of it; what is none stays. Of Docker's images, of
 * which each should have one, it shows Go's first moment then. The caller owns it. */
static json_t *created_of(const struct inspection *inspection)
{
	json_t *created = json_object_get(inspection->config, "created");
	bool is_none = !created || json_is_null(created);

	if (is_none && inspection->config && inspection->is_docker)
		return json_string("0001-01-01T00:00:00Z");
	cleanup_free char *text =
		json_is_string(created) ? go_time_json(json_string_value(created)) : NULL;

	return text ? json_string(text) : or_null(created);
}

/* What skopeo's inspect prints; the caller owns it. */
static json_t *summarize(const struct inspection *inspection)
{
	const json_t *config = inspection->config;
	const json_t *inner = json_object_get(config, "config");
	/* the name is without tag and digest */
	const char *name = inspection->repository ? inspection->repository : inspection->title;
	const char *tag = json_text(inspection->manifest.json, "tag", "");
	json_t *result = json_pack(
		"{s:s*, s:s*, s:s, s:O, s:o, s:s, s:o, s:s, s:s}", "Name", name, "Tag",
		inspection->manifest.is_schema1 && tag[0] ? tag : NULL, "Digest",
		inspection->digest, "RepoTags", inspection->tag_list, "Created",
		created_of(inspection), "DockerVersion", json_text(config, "docker_version", ""),
		"Labels", or_null(json_object_get(inner, "Labels")), "Architecture",
		json_text(config, "architecture", ""), "Os", json_text(config, "os", ""));

	add_layers(inspection, result);
	json_object_set_new(result, "Env", or_null(json_object_get(inner, "Env")));
	if (inspection->session->settings->all)
		add_platform(inspection, result);
	return result;
}

/* The types of skopeo's results in Go, see template.h. */
static json_t *result_shape(void)
{
	return json_pack("{s:s, s:s, s:s, s:[], s:b, s:s, s:{}, s:s, s:s, s:[],"
			 " s:[{s:s, s:s, s:i, s:{}}], s:[]}",
			 "Name", "", "Tag", "", "Digest", "", "RepoTags", "Created", 1,
			 "DockerVersion", "", "Labels", "Architecture", "", "Os", "", "Layers",
			 "LayersData", "MIMEType", "", "Digest", "", "Size", 0, "Annotations",
			 "Env");
}

static json_t *config_shape(void)
{
	json_t *shape = json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:[]}", "created", 1, "author",
				  "", "architecture", "", "variant", "", "os", "", "os.version", "",
				  "os.features");

	json_object_set_new(shape, "config",
			    json_pack("{s:s, s:{}, s:[], s:[], s:[], s:{}, s:s, s:{}, s:s, s:b}",
				      "User", "", "ExposedPorts", "Env", "Entrypoint", "Cmd",
				      "Volumes", "WorkingDir", "", "Labels", "StopSignal", "",
				      "ArgsEscaped", 0));
	json_object_set_new(shape, "rootfs", json_pack("{s:s, s:[]}", "type", "", "diff_ids"));
	json_object_set_new(shape, "history",
			    json_pack("[{s:b, s:s, s:s, s:s, s:b}]", "created", 1, "created_by", "",
				      "author", "", "comment", "", "empty_layer", 0));
	return shape;
}

static int print_result(const struct cli *cli, const json_t *result, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;
	json_auto_t *shape = settings->config ? config_shape() : result_shape();

	return template_output(cli, settings->format, result, shape, err);
}

/* ---- one ---- */

static int wait_for(struct inspection *inspection, struct error *err)
{
	while (!inspection_poll(inspection))
		if (http_pump(inspection->session->http, HTTP_POLL_MS, err) < 0)
			return -1;
	if (!inspection->has_failed)
		return 0;
	*err = inspection->problem;
	return -1;
}

static int no_config(const struct inspection *inspection, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, "%s: the config is no JSON object",
			 inspection->from.name);
}

static int print_one(const struct inspection *inspection, struct error *err)
{
	const struct inspect_settings *settings = inspection->session->settings;
	const struct image *image = &inspection->image;

	if (settings->raw && settings->config && image->manifest == NULL)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: an image of schema 1 has no configuration of its own",
				 inspection->from.name);
	if (settings->raw)
		return settings->config ? print_bytes(image->config_bytes,
						      (size_t)image->config_blob.size, err)
					: print_bytes(inspection->manifest.bytes,
						      inspection->manifest.length, err);
	if (settings->config && !inspection->config)
		return no_config(inspection, err);
	json_auto_t *result =
		settings->config ? json_incref(inspection->config) : summarize(inspection);
	return print_result(inspection->session->cli, result, err);
}

static int inspect_one(struct inspect_session *session, struct error *err)
{
	struct inspection *inspection = inspection_new(session, session->cli->operands[0], NULL);
	int status = wait_for(inspection, err) < 0 ? -1 : print_one(inspection, err);

	inspection_free(inspection);
	return status;
}

/* ---- many ---- */

struct inspections {
	struct inspect_session *session;
	struct inspect_names names;
	struct inspection *items[TOGETHER]; /* under way, the one that is printed next first */
	char *index;	  /* the name of the one whose images are looked at; or NULL */
	json_t *images;	  /* the entries of it that were not begun, the next one last */
	unsigned entries; /* how many there were */
	size_t together, under_way, count, failed;
	enum error_kind kind; /* of the failures, where it is the same for all */
};

/* What there is to say of an image, or NULL with `problem` filled. */
static json_t *describe(struct inspection *inspection)
{
	if (inspection->has_failed)
		return NULL;
	if (!inspection->session->settings->config)
		return summarize(inspection);
	if (inspection->config)
		return json_pack("{s:O}", "Config", inspection->config);
	no_config(inspection, &inspection->problem);
	return NULL;
}

/* One line: what the image is, or why that cannot be said. */
static int print_next(struct inspections *all, struct inspection *inspection, struct error *err)
{
	const struct cli *cli = all->session->cli;
	json_auto_t *row = describe(inspection);
	bool is_good = row;

	all->count++;
	if (!is_good) {
		row = json_pack("{s:o}", "error",
				error_json(&inspection->problem, cli->tool, cli->verb));
		if (all->failed++ == 0)
			all->kind = inspection->problem.kind;
		else if (all->kind != inspection->problem.kind)
			all->kind = ERROR_FAILED;
	}
	json_object_set_new(row, "Image", json_string(inspection->name));
	return is_good && all->session->settings->format ? print_result(cli, row, err)
							 : output_object(cli, row, err);
}

/* Look at the next image of the index that was named. False when there is none. */
static bool begin_entry(struct inspections *all)
{
	size_t left = json_array_size(all->images);

	if (left == 0)
		return false;
	json_auto_t *entry = json_incref(json_array_get(all->images, left - 1));
	json_array_remove(all->images, left - 1);
	all->items[all->under_way++] = inspection_new(all->session, all->index, entry);
	return true;
}

/* Look at more, as long as there are names and not too many are under way. The images of an index
 * come before the next name. */
static int begin_more(struct inspections *all, struct error *err)
{
	const char *name;

	while (all->under_way < all->together) {
		if (begin_entry(all))
			continue;
		if (all->session->settings->all && all->under_way > 0)
			return 0;
		int status = inspect_names_next(&all->names, all->under_way == 0, &name, err);

		if (status <= 0)
			return status;
		all->entries = 0;
		all->items[all->under_way++] = inspection_new(all->session, name, NULL);
	}
	return 0;
}

/* Instead of the index come its images; those of an index in it after the others. */
static int add_images(struct inspections *all, const struct inspection *index, struct error *err)
{
	const json_t *entry;
	size_t i;

	if (!all->images)
		all->images = json_array();
	free(all->index);
	all->index = xstrdup(index->name);
	json_array_foreach (index->images, i, entry) {
		if (++all->entries > ENTRIES_MAX)
			return error_set(err, ERROR_LIMIT, "%s: the index names too many images",
					 index->name);
		json_array_insert(all->images, 0, (json_t *)entry);
	}
	return 0;
}

static int print_finished(struct inspections *all, struct error *err)
{
	for (size_t i = 0; i < all->under_way; i++)
		inspection_poll(all->items[i]);
	while (all->under_way > 0 && all->items[0]->is_done) {
		struct inspection *first = all->items[0];

		all->under_way--;
		memmove(&all->items[0], &all->items[1], all->under_way * sizeof(void *));
		/* the first was alone: how to speak to the registry is found out once */
		all->together = TOGETHER;
		int status =
			first->images ? add_images(all, first, err) : print_next(all, first, err);
		inspection_free(first);
		if (status < 0)
			return -1;
	}
	return 0;
}

static int look_at_all(struct inspections *all, struct error *err)
{
	do {
		if (begin_more(all, err) < 0 || print_finished(all, err) < 0)
			return -1;
		/* what begins meanwhile on standard input is not waited for */
		if (all->under_way > 0 && !all->items[0]->is_done && all->session->http &&
		    http_pump(all->session->http, HTTP_POLL_MS, err) < 0)
			return -1;
		if (cli_interrupted())
			return cli_fail_interrupted(err);
	} while (all->under_way > 0 || json_array_size(all->images) > 0 || all->names.at_input ||
		 *all->names.operands);
	return 0;
}

static int inspect_many(struct inspect_session *session, struct error *err)
{
	struct inspections all = { .session = session,
				   .names.operands = session->cli->operands,
				   .together = 1 };
	int status = look_at_all(&all, err);

	for (size_t i = 0; i < all.under_way; i++)
		inspection_free(all.items[i]);
	json_decref(all.images);
	free(all.index);
	if (status < 0 || all.failed == 0)
		return status;
	return error_set(err, all.kind, "%zu of %zu images cannot be inspected", all.failed,
			 all.count);
}

/* What a template does not name is not asked for. */
static void choose_wants(struct inspect_session *session)
{
	const struct inspect_settings *settings = session->settings;
	cleanup_strings struct strings fields = { 0 };

	if (settings->raw || settings->config) {
		session->wants_config = settings->config;
		return;
	}
	if (settings->format)
		template_fields(settings->format, &fields);
	else
		strings_add(&fields, "");
	for (size_t i = 0; i < fields.count; i++) {
		const char *field = fields.items[i];
		bool is_tags = strcasecmp(field, "RepoTags") == 0;

		if ((is_tags || !field[0]) && !settings->no_tags)
			session->wants_tags = true;
		if (!is_tags && strcasecmp(field, "Name") != 0 && strcasecmp(field, "Digest") != 0)
			session->wants_config = true;
	}
}

static int inspect_run(const struct cli *cli, struct error *err)
{
	const struct inspect_settings *settings = cli->settings;
	cleanup_inspect_session struct inspect_session session = {
		.cli = cli,
		.settings = settings,
		.platform = platform_wanted(&settings->platform, err),
		.tag_lists = json_object(),
		.known = json_object(),
	};

	if (!session.platform)
		return -1;
	if (template_check(settings->format, err) < 0)
		return -1;
	if (settings->raw && settings->format)
		return cli_usage(cli, err, "--raw prints bytes, and --format fields");
	if (settings->raw && settings->all)
		return cli_usage(cli, err, "--raw prints the bytes of one image, and --all many");
	choose_wants(&session);
	if (cli->operand_count == 1 && strcmp(cli->operands[0], "-") != 0 && !settings->all)
		return inspect_one(&session, err);
	if (settings->raw)
		return cli_usage(cli, err, "--raw is for one image");
	return inspect_many(&session, err);
}

const struct cli_command inspect_command = {
	.name = "inspect",
	.operands = "IMAGE...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "show information about an image without its layers",
	.details =
		"IMAGE is docker://NAME, oci:PATH[:REF], docker-archive:PATH[:NAME], store:NAME\n"
		"or an image in another place, see skopeo-c(1). \"-\" reads names from standard\n"
		"input. Several images are printed one per line; one that cannot be inspected\n"
		"has the error instead.",
	.options = options,
	.settings_size = sizeof(struct inspect_settings),
	.defaults = &defaults,
	.offer = transport_offer,
	.run = inspect_run,
};

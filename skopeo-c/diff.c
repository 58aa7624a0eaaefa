/* SPDX-License-Identifier: Apache-2.0 */
/* diff: in what two images differ, by their manifests and configurations, and by the files in their
 * layers when asked. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/diff_files.h"
#include "skopeo-c/image.h"
#include "skopeo-c/json_difference.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/registry_pool.h"
#include "skopeo-c/schema1.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

struct diff_settings {
	struct access access;
	struct platform_choice platform;
	bool files;
};

static const struct diff_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct diff_settings, name)

static const struct cli_option options[] = {
	{ "files", 0, NULL, OPTION_FLAG, FIELD(files),
	  "compare files, too: reads the layers that differ" },
	PLATFORM_OPTIONS(platform),
	ACCESS_OPTIONS,
	{ 0 },
};

struct side {
	struct transport from;
	struct manifest manifest;
	char digest[DIGEST_SIZE]; /* of what the name stands for, an index or a manifest */
	struct image image;
	json_t *config, *layers; /* owned */
};

struct comparison {
	const struct cli *cli;
	struct http *http;
	struct registry_pool pool;
	struct side sides[2];
};

static void comparison_close(struct comparison *comparison)
{
	for (int i = 0; i < 2; i++) {
		struct side *side = &comparison->sides[i];

		json_decref(side->config);
		json_decref(side->layers);
		image_free(&side->image);
		manifest_free(&side->manifest);
		transport_close(&side->from);
	}
	registry_pool_free(&comparison->pool);
	http_free(comparison->http);
}

#define cleanup_comparison __attribute__((cleanup(comparison_close)))

/* ---- reading ---- */

static int open_side(struct comparison *comparison, int number, struct error *err)
{
	const struct diff_settings *settings = comparison->cli->settings;
	const char *name = comparison->cli->operands[number];
	struct side *side = &comparison->sides[number];

	if (transport_names_registry(name) && !comparison->http &&
	    !(comparison->http = http_new(err)))
		return -1;
	const struct transport_settings source = {
		.cli = comparison->cli,
		.http = comparison->http,
		.access = settings->access,
		.pool = &comparison->pool,
	};
	if (transport_open(&side->from, name, &source, err) < 0 ||
	    side->from.class->get_manifest(&side->from, NULL, &side->manifest, err) < 0)
		return -1;
	memcpy(side->digest, side->manifest.digest, sizeof side->digest);
	return 0;
}

static int choose_image(const struct comparison *comparison, struct side *side, struct error *err)
{
	const struct diff_settings *settings = comparison->cli->settings;
	json_auto_t *platform = platform_wanted(&settings->platform, err);

	return !platform ? -1 : plan_choose(&side->from, &side->manifest, platform, err);
}

/* The configuration of both may be one. */
static int read_side(struct side *side, const struct side *other, struct error *err)
{
	const json_t *json = side->manifest.json;

	if (side->manifest.is_schema1) {
		side->config = schema1_config(json, NULL, side->from.name, err);
		side->layers = schema1_layers(json, false);
		return side->config ? 0 : -1;
	}
	side->layers = json_incref(json_object_get(json, "layers"));
	if (other && json_equal(json_path(json, "config", "digest", NULL),
				json_path(other->manifest.json, "config", "digest", NULL))) {
		side->config = json_incref(other->config);
		return 0;
	}
	if (image_read(&side->from, &side->manifest, &side->image, err) < 0)
		return -1;
	side->config = json_incref(side->image.config);
	return 0;
}

/* ---- comparing ---- */

static json_t *without(const json_t *object, const char *const *keys)
{
	json_t *copy = object ? json_copy((json_t *)object) : json_object();

	for (; *keys; keys++)
		json_object_del(copy, *keys);
	return copy;
}

static json_t *diff_id(const struct side *side, size_t i)
{
	const json_t *ids = json_path(side->config, "rootfs", "diff_ids", NULL);

	return json_array_size(ids) == json_array_size(side->layers) ? json_array_get(ids, i)
								     : NULL;
}

static json_t *describe_layer(const struct side *side, size_t i)
{
	const json_t *layer = json_array_get(side->layers, i);
	static const char *const keys[] = { "digest",	   "size", "mediaType",
					    "annotations", "urls", NULL };
	json_t *row = json_object(), *id = diff_id(side, i);

	for (const char *const *key = keys; *key; key++)
		if (json_object_get(layer, *key))
			json_object_set(row, *key, json_object_get(layer, *key));
	if (id)
		json_object_set(row, "diffID", id);
	return row;
}

static bool is_same_layer(const struct side *a, size_t i, const struct side *b, size_t j)
{
	const json_t *one = diff_id(a, i), *other = diff_id(b, j);

	/* the same files may be compressed in two ways */
	return one && other ? json_equal(one, other)
			    : json_equal(json_object_get(json_array_get(a->layers, i), "digest"),
					 json_object_get(json_array_get(b->layers, j), "digest"));
}

static json_t *layers_above(const struct side *side, size_t from)
{
	json_t *rows = json_array();

	for (size_t i = from; i < json_array_size(side->layers); i++)
		json_array_append_new(rows, describe_layer(side, i));
	return rows;
}

static json_t *compare_layers(const struct side *a, const struct side *b)
{
	json_t *common = json_array();
	size_t count = 0;

	while (count < json_array_size(a->layers) && count < json_array_size(b->layers) &&
	       is_same_layer(a, count, b, count)) {
		json_t *one = describe_layer(a, count), *other = describe_layer(b, count);

		if (!json_equal(one, other))
			json_object_set(one, "recompressed", other);
		json_array_append_new(common, one);
		json_decref(other);
		count++;
	}
	return json_pack("{s:o, s:o, s:o}", "common", common, "A", layers_above(a, count), "B",
			 layers_above(b, count));
}

/* The layers that the other image has nowhere. */
static json_t *own_layers(const struct side *side, const struct side *other)
{
	json_t *own = json_array();

	for (size_t i = 0; i < json_array_size(side->layers); i++) {
		size_t j = 0;

		while (j < json_array_size(other->layers) && !is_same_layer(side, i, other, j))
			j++;
		if (j == json_array_size(other->layers))
			json_array_append(own, json_array_get(side->layers, i));
	}
	return own;
}

static json_t *describe_side(const struct comparison *comparison, int number)
{
	const struct side *side = &comparison->sides[number];

	return json_pack("{s:s, s:s, s:s}", "Image", comparison->cli->operands[number], "Digest",
			 side->digest, "Manifest", side->manifest.digest);
}

static json_t *compare(const struct comparison *comparison)
{
	/* where the configurations cannot be compared their descriptors are */
	static const char *const not_manifest[] = { "layers",	     "fsLayers",
						    "history",	     "signatures",
						    "schemaVersion", "mediaType",
						    "config",	     NULL };
	static const char *const not_manifest_but_config[] = { "layers", "schemaVersion",
							       "mediaType", NULL };
	static const char *const not_config[] = { "rootfs", NULL };
	const struct side *a = &comparison->sides[0], *b = &comparison->sides[1];
	const char *const *left_out =
		a->config && b->config ? not_manifest : not_manifest_but_config;
	json_auto_t *manifest_a = without(a->manifest.json, left_out);
	json_auto_t *manifest_b = without(b->manifest.json, left_out);
	json_auto_t *config_a = without(a->config, not_config);
	json_auto_t *config_b = without(b->config, not_config);
	json_t *manifest = json_difference(manifest_a, manifest_b);

	if (strcmp(a->manifest.media_type, b->manifest.media_type) != 0)
		json_object_set_new(manifest, "/mediaType",
				    json_pack("{s:s, s:s}", "A", a->manifest.media_type, "B",
					      b->manifest.media_type));
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "A", describe_side(comparison, 0), "B",
			 describe_side(comparison, 1), "same", false, "manifest", manifest,
			 "config", json_difference(config_a, config_b), "layers",
			 compare_layers(a, b));
}

/* ---- what is told ---- */

static int collect_row(void *rows, json_t *row, struct error *err)
{
	(void)err;
	json_array_append_new(rows, row);
	return 0;
}

static int print_row(void *is_first, json_t *row, struct error *err)
{
	cleanup_free char *text = json_compact(row);

	json_decref(row);
	if (printf("%s%s", *(bool *)is_first ? "" : ",", text) < 0)
		return error_os(err, "standard output");
	*(bool *)is_first = false;
	return 0;
}

/* Print the result with the files of two stacks, of which there may be very many: only a terminal's
 * user waits for all of them. */
static int print_with_files(const struct cli *cli, json_t *result, const struct layer_stack *a,
			    const struct layer_stack *b, struct error *err)
{
	static const char *const behind_files[] = { "layers", "manifest", "same", NULL };
	const size_t flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_EMBED;
	bool is_first = true;

	if (output_is_for_people(cli)) {
		json_t *rows = json_array();

		json_object_set_new(result, "files", rows);
		if (files_difference(a, b, collect_row, rows, err) < 0)
			return -1;
		return output_object(cli, result, err);
	}
	json_auto_t *before = without(result, behind_files), *behind = json_object();
	for (const char *const *key = behind_files; *key; key++)
		json_object_set(behind, *key, json_object_get(result, *key));
	cleanup_free char *start = json_dumps(before, flags), *end = json_dumps(behind, flags);
	printf("{%s,\"files\":[", start);
	if (files_difference(a, b, print_row, &is_first, err) < 0)
		return -1;
	printf("],%s}\n", end);
	return fflush(stdout) == 0 ? 0 : error_os(err, "standard output");
}

static int tell_files(struct comparison *comparison, json_t *result, struct error *err)
{
	struct side *a = &comparison->sides[0], *b = &comparison->sides[1];
	json_auto_t *of_a = own_layers(a, b), *of_b = own_layers(b, a);
	cleanup_layer_readings struct layer_readings readings_a = { 0 }, readings_b = { 0 };

	if (layer_readings_make(&a->from, comparison->http, of_a, &readings_a, err) < 0 ||
	    layer_readings_make(&b->from, comparison->http, of_b, &readings_b, err) < 0)
		return -1;
	return print_with_files(comparison->cli, result, &readings_a.stack, &readings_b.stack, err);
}

static int diff_run(const struct cli *cli, struct error *err)
{
	const struct diff_settings *settings = cli->settings;
	cleanup_comparison struct comparison comparison = { .cli = cli };
	struct side *a = &comparison.sides[0], *b = &comparison.sides[1];

	if (open_side(&comparison, 0, err) < 0 || open_side(&comparison, 1, err) < 0)
		return -1;
	bool same = strcmp(a->digest, b->digest) == 0;
	if (!same &&
	    (choose_image(&comparison, a, err) < 0 || choose_image(&comparison, b, err) < 0))
		return -1;
	same = strcmp(a->manifest.digest, b->manifest.digest) == 0;
	if (!same && (read_side(a, NULL, err) < 0 || read_side(b, a, err) < 0))
		return -1;
	json_auto_t *result =
		same ? json_pack("{s:o, s:o, s:b}", "A", describe_side(&comparison, 0), "B",
				 describe_side(&comparison, 1), "same", true)
		     : compare(&comparison);
	if (!same && settings->files)
		return tell_files(&comparison, result, err);
	return output_object(cli, result, err);
}

const struct cli_command diff_command = {
	.name = "diff",
	.operands = "A B",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "show how two images differ without fetching layers",
	.details = "A and B are images in any place that inspect accepts. Layers that both images\n"
		   "have are never fetched, even with --files.",
	.options = options,
	.settings_size = sizeof(struct diff_settings),
	.defaults = &defaults,
	.offer = transport_offer,
	.run = diff_run,
};

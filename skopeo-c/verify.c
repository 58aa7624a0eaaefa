/* SPDX-License-Identifier: Apache-2.0 */
/* verify: whether an image in the store is what it was, and what its registry has by now. */
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/age.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/http.h"
#include "skopeo-c/image.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_DIFFERENT = 1 };

struct verify_settings {
	struct access access;
	bool local;
};

static const struct verify_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct verify_settings, name)

static const struct cli_option options[] = {
	{ "local", 0, NULL, OPTION_FLAG, FIELD(local), "check only the store, not the registry" },
	ACCESS_OPTIONS,
	{ 0 },
};

/* An image in one of the two places. */
struct side {
	struct transport from;
	char top[DIGEST_SIZE]; /* the digest of what the name stands for: an index, or `manifest` */
	struct manifest manifest;
	struct image image; /* config_bytes NULL where the configuration is no good */
};

static void side_close(struct side *side)
{
	image_free(&side->image);
	manifest_free(&side->manifest);
	transport_close(&side->from);
}

#define cleanup_side __attribute__((cleanup(side_close)))

/* Read the manifest of the image for the platform. */
static int read_manifest(struct side *side, const json_t *platform, struct error *err)
{
	if (side->from.class->get_manifest(&side->from, NULL, &side->manifest, err) < 0)
		return -1;
	memcpy(side->top, side->manifest.digest, sizeof side->top);
	return plan_choose(&side->from, &side->manifest, platform, err);
}

/* ---- the local bytes ---- */

static int hash_source(struct blob_source *source, const struct blob *blob, const char *what,
		       struct error *err)
{
	char digest[DIGEST_SIZE];
	json_int_t size;

	if (blob_source_hash(source, blob->digest, what, digest, &size, err) < 0)
		return -1;
	if (size != blob->size)
		return error_set(err, ERROR_INTEGRITY, "has %lld bytes, expected %lld",
				 (long long)size, (long long)blob->size);
	if (strcmp(digest, blob->digest) != 0)
		return error_set(err, ERROR_INTEGRITY, "has the digest %s", digest);
	return 0;
}

/* Add to `result` whether the bytes are those of the digest. -1 only where that cannot be said. */
static int check_blob(struct transport *from, const struct blob *blob, json_t *result, bool *intact,
		      struct error *err)
{
	struct blob_source source = BLOB_SOURCE_NONE;
	struct error problem = { 0 };
	int status = from->class->open_blob(from, blob, &source, &problem);

	if (status == 0)
		status = hash_source(&source, blob, from->name, &problem);
	blob_source_close(&source);
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	if (status < 0 && problem.kind != ERROR_INTEGRITY && problem.kind != ERROR_NOT_FOUND) {
		*err = problem;
		return -1;
	}
	json_object_set_new(result, "intact", json_boolean(status == 0));
	if (status < 0) {
		const char *what = problem.kind == ERROR_NOT_FOUND ? "missing" : problem.message;

		json_object_set_new(result, "problem", json_string(what));
		*intact = false;
	}
	return 0;
}

/* ---- layers ---- */

/* The `created` of the layer's entry in the history; borrowed, or NULL. */
static const char *layer_created(const struct side *side, size_t number)
{
	const json_t *entry;
	size_t i, layer = 0;

	json_array_foreach (json_object_get(side->image.config, "history"), i, entry) {
		if (json_is_true(json_object_get(entry, "empty_layer")))
			continue;
		if (layer++ == number)
			return json_text(entry, "created", NULL);
	}
	return NULL;
}

static const json_t *layer_at(const struct side *side, size_t number)
{
	return json_array_get(json_object_get(side->manifest.json, "layers"), number);
}

static const char *diff_id(const struct side *side, size_t number)
{
	const json_t *list = json_path(side->image.config, "rootfs", "diff_ids", NULL);

	return json_string_value(json_array_get(list, number));
}

/* How the registry's one stands to ours, by when they were made. */
static const char *compare_times(const char *ours, const char *theirs)
{
	int64_t our_time = ours ? age_of_time(ours) : -1;
	int64_t their_time = theirs ? age_of_time(theirs) : -1;

	if (our_time < 0 || their_time < 0 || our_time == their_time)
		return "different";
	return their_time > our_time ? "newer" : "older";
}

/* The same files may be in differently compressed layers. */
static const char *compare_layers(const struct side *local, const struct side *remote,
				  size_t number)
{
	const json_t *ours = layer_at(local, number), *theirs = layer_at(remote, number);
	const char *our_id = diff_id(local, number), *their_id = diff_id(remote, number);

	if (!ours)
		return "added";
	if (!theirs)
		return "removed";
	if (strcmp(json_text(ours, "digest", ""), json_text(theirs, "digest", "")) == 0 ||
	    (our_id && their_id && strcmp(our_id, their_id) == 0))
		return "same";
	return compare_times(layer_created(local, number), layer_created(remote, number));
}

static void add_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

/* One layer: ours, and what the registry has in its place. remote: NULL for none. */
static json_t *judge_layer(struct side *local, const struct side *remote, size_t number,
			   bool *intact, struct error *err)
{
	const json_t *ours = layer_at(local, number);
	json_auto_t *row = json_object();
	struct blob blob;

	if (ours) {
		if (blob_from_json(ours, local->from.name, &blob, err) < 0)
			return NULL;
		add_text(row, "digest", blob.digest);
		json_object_set_new(row, "size", json_integer(blob.size));
		add_text(row, "created", layer_created(local, number));
		if (check_blob(&local->from, &blob, row, intact, err) < 0)
			return NULL;
	}
	if (remote) {
		add_text(row, "registryDigest",
			 json_text(layer_at(remote, number), "digest", NULL));
		add_text(row, "registryCreated", layer_created(remote, number));
		add_text(row, "registry", compare_layers(local, remote, number));
	}
	return json_incref(row);
}

static json_t *judge_layers(struct side *local, const struct side *remote, bool *intact,
			    struct error *err)
{
	json_auto_t *rows = json_array();

	for (size_t i = 0; layer_at(local, i) || (remote && layer_at(remote, i)); i++) {
		json_t *row = judge_layer(local, remote, i, intact, err);

		if (!row)
			return NULL;
		json_array_append_new(rows, row);
	}
	return json_incref(rows);
}

/* ---- the image ---- */

static json_t *describe(const struct side *side)
{
	json_t *object = json_object();

	add_text(object, "digest", side->top);
	if (strcmp(side->top, side->manifest.digest) != 0)
		add_text(object, "manifest", side->manifest.digest);
	add_text(object, "config", side->image.config_blob.digest);
	add_text(object, "created", json_text(side->image.config, "created", NULL));
	return object;
}

/* "same" also for an image that was only packed anew: its configuration is the same. */
static const char *compare_images(const struct side *local, const struct side *remote)
{
	if (strcmp(local->top, remote->top) == 0 ||
	    strcmp(local->manifest.digest, remote->manifest.digest) == 0 ||
	    strcmp(local->image.config_blob.digest, remote->image.config_blob.digest) == 0)
		return "same";
	return compare_times(json_text(local->image.config, "created", NULL),
			     json_text(remote->image.config, "created", NULL));
}

static int read_local(const struct cli *cli, struct side *local, struct error *err)
{
	const char *operand = cli->operands[0];
	bool has_prefix =
		strncmp(operand, transport_store.prefix, strlen(transport_store.prefix)) == 0;
	cleanup_free char *name =
		has_prefix ? xstrdup(operand) : xasprintf("%s%s", transport_store.prefix, operand);
	const struct transport_settings settings = { .cli = cli };
	json_auto_t *platform = platform_wanted(&(struct platform_choice){ 0 }, err);
	struct error ignored; /* what is wrong with the configuration is looked for later */

	if (transport_open(&local->from, name, &settings, err) < 0 ||
	    read_manifest(local, platform, err) < 0)
		return -1;
	if (image_read(&local->from, &local->manifest, &local->image, &ignored) == 0)
		return 0;
	return blob_from_json(json_object_get(local->manifest.json, "config"), local->from.name,
			      &local->image.config_blob, err);
}

/* The registry's image of the same name, for the platform that ours is for. */
static int read_remote(const struct cli *cli, const struct side *local, struct http *http,
		       struct side *remote, struct error *err)
{
	const struct verify_settings *settings = cli->settings;
	cleanup_free char *name = xasprintf("%s%s", transport_docker.prefix, local->from.reference);
	const struct transport_settings source = { .cli = cli,
						   .http = http,
						   .access = settings->access };
	const struct platform_choice choice = {
		.os = json_text(local->image.config, "os", NULL),
		.architecture = json_text(local->image.config, "architecture", NULL),
		.variant = json_text(local->image.config, "variant", NULL),
	};
	json_auto_t *platform = platform_wanted(&choice, err);

	if (transport_open(&remote->from, name, &source, err) < 0 ||
	    read_manifest(remote, platform, err) < 0)
		return -1;
	return image_read(&remote->from, &remote->manifest, &remote->image, err);
}

struct verdict {
	json_t *result;
	bool intact;
	bool is_same;	      /* or not asked for */
	struct error failure; /* of the registry; kind 0 for none */
};

/* What the local bytes are, with what the registry has where that is known. */
static int judge(struct side *local, const struct side *remote, struct verdict *verdict,
		 struct error *err)
{
	json_t *config = json_object();
	bool *intact = &verdict->intact;

	json_object_set_new(verdict->result, "local", describe(local));
	json_object_set_new(verdict->result, "config", config);
	add_text(config, "digest", local->image.config_blob.digest);
	if (check_blob(&local->from, &local->image.config_blob, config, intact, err) < 0)
		return -1;
	json_t *layers = judge_layers(local, remote, intact, err);
	if (!layers)
		return -1;
	json_object_set_new(verdict->result, "layers", layers);
	json_object_set_new(verdict->result, "intact", json_boolean(*intact));
	if (!remote)
		return 0;
	const char *state = compare_images(local, remote);
	json_t *there = describe(remote);
	add_text(there, "state", state);
	json_object_set_new(verdict->result, "registry", there);
	verdict->is_same = strcmp(state, "same") == 0;
	return 0;
}

/* Compare with the registry; that it cannot be asked is kept for the end. */
static int judge_both(const struct cli *cli, struct side *local, struct verdict *verdict,
		      struct error *err)
{
	const struct verify_settings *settings = cli->settings;
	cleanup_http struct http *http = NULL;
	cleanup_side struct side remote = { 0 };

	if (settings->local)
		return judge(local, NULL, verdict, err);
	if (!local->from.reference) {
		error_set(err, ERROR_USAGE, "%s has no name in a registry", local->from.name);
		return error_hint(err, "--local only looks at the store");
	}
	if (!(http = http_new(err)))
		return -1;
	if (read_remote(cli, local, http, &remote, &verdict->failure) == 0)
		return judge(local, &remote, verdict, err);
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	json_object_set_new(
		verdict->result, "registry",
		json_pack("{s:o}", "error", error_json(&verdict->failure, cli->tool, cli->verb)));
	return judge(local, NULL, verdict, err);
}

static int verify_run(const struct cli *cli, struct error *err)
{
	cleanup_side struct side local = { 0 };
	json_auto_t *result = json_object();
	struct verdict verdict = { .result = result, .intact = true, .is_same = true };

	if (read_local(cli, &local, err) < 0)
		return -1;
	add_text(result, "name", local.from.reference);
	if (judge_both(cli, &local, &verdict, err) < 0 || output_object(cli, result, err) < 0)
		return -1;
	if (!verdict.intact) {
		error_set(err, ERROR_INTEGRITY, "%s is damaged", local.from.name);
		return error_hint(err, "ctr-store check --repair, or copy it again");
	}
	if (verdict.failure.kind) {
		*err = verdict.failure;
		return -1;
	}
	return verdict.is_same ? 0 : STATUS_DIFFERENT;
}

static bool offer_stored(const struct cli *cli, const char *called, const char *word)
{
	const char *prefix = transport_store.prefix;
	bool is_prefixed = strncmp(word, prefix, strlen(prefix)) == 0;

	(void)called;
	cli_offer_names(cli, "ctr-store", "images", is_prefixed ? prefix : "");
	return true;
}

const struct cli_command verify_command = {
	.name = "verify",
	.operands = "IMAGE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "check a stored image's digests, and its registry",
	.details = "IMAGE is a name in the store, with or without \"store:\".",
	.options = options,
	.settings_size = sizeof(struct verify_settings),
	.defaults = &defaults,
	.offer = offer_stored,
	.run = verify_run,
};

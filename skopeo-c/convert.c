/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/convert.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/processors.h"
#include "skopeo-c/convert_manifest.h"
#include "skopeo-c/layer_type.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/schema1.h"
#include "skopeo-c/transfer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A layer that is recoded. */
struct change {
	struct blob blob; /* as it is; borrowed from the old manifest */
	struct recoder *recoder;
	struct recoded recoded;
	bool is_done;
};

struct converted {
	struct transport *from, *to; /* borrowed */
	struct recoding recoding;
	struct change *changes;
	size_t count;
	const struct change *lent; /* who has the place that `to` has lent; or NULL */
	struct plan old, made;	   /* the manifests, one for one */
	json_t *schema1_layers;	   /* descriptors of the layers of an image of schema 1, or NULL */
	struct recoded config;	   /* of an image of schema 1: made here */
};

static struct change *find_change(const struct converted *state, const char *digest)
{
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->changes[i].blob.digest, digest) == 0)
			return &state->changes[i];
	return NULL;
}

/* ---- what is to change ---- */

static bool is_image(const struct manifest *manifest)
{
	const char *type = json_text(json_object_get(manifest->json, "config"), "mediaType", "");

	return !manifest->is_index && manifest_is_image_config(type);
}

/* Of what is said to be a plain tar only its bytes tell whether it has to be decompressed. */
static bool needs_look(const struct conversion *conversion, const struct layer_type *type)
{
	return !conversion->is_made_up && conversion->layers == LAYERS_RECODED &&
	       conversion->recoding.way == COMPRESSION_NONE && type->way == COMPRESSION_NONE;
}

static bool layer_changes(const struct conversion *conversion, const char *media_type, bool surely)
{
	struct layer_type type;

	if (!layer_type_parse(media_type, &type) || type.is_foreign)
		return false;
	if (!surely && needs_look(conversion, &type))
		return true;
	if (conversion->is_made_up && (type.way == COMPRESSION_BZIP2 || type.way == COMPRESSION_XZ))
		return true;
	if (conversion->format && strcmp(conversion->format, MANIFEST_DOCKER) == 0 &&
	    !layer_type_name(&type, true))
		return true;
	switch (conversion->layers) {
	case LAYERS_COMPRESSED:
		return type.way == COMPRESSION_NONE;
	case LAYERS_RECODED:
		return type.way != conversion->recoding.way;
	case LAYERS_KEPT:
		break;
	}
	return false;
}

/* Whether the manifest has to be of another format. */
static bool format_changes(const struct conversion *conversion, const struct manifest *manifest)
{
	bool is_docker = strcmp(manifest->media_type, MANIFEST_DOCKER) == 0 ||
			 strcmp(manifest->media_type, MANIFEST_DOCKER_LIST) == 0;

	return conversion->format &&
	       is_docker != (strcmp(conversion->format, MANIFEST_DOCKER) == 0);
}

bool conversion_changes(const struct conversion *conversion, const struct plan *plan, bool surely)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct manifest *manifest = &plan->manifests[i];
		const json_t *layer;
		size_t n;

		if (manifest->is_schema1 || format_changes(conversion, manifest))
			return true;
		if (!is_image(manifest))
			continue;
		json_array_foreach (json_object_get(manifest->json, "layers"), n, layer) {
			if (layer_changes(conversion, json_text(layer, "mediaType", ""), surely))
				return true;
		}
	}
	return false;
}

/* ---- the layers ---- */

static void note_change(struct converted *state, const json_t *layer)
{
	/* manifest_parse() has checked it; the size is -1 where nothing says it */
	struct change change = {
		.blob = { .digest = json_text(layer, "digest", ""),
			  .size = json_integer_value(json_object_get(layer, "size")),
			  .media_type = json_text(layer, "mediaType", "") },
		.recoded.fd = -1,
	};

	if (find_change(state, change.blob.digest))
		return;
	state->changes = xgrow(state->changes, state->count, sizeof *state->changes);
	state->changes[state->count++] = change;
}

static void note_changes(struct converted *state, const struct conversion *conversion,
			 const struct manifest *manifest)
{
	const json_t *layer;
	size_t i;

	json_array_foreach (manifest->is_schema1 ? state->schema1_layers
						 : json_object_get(manifest->json, "layers"),
			    i, layer) {
		if (manifest->is_schema1 ||
		    (is_image(manifest) &&
		     layer_changes(conversion, json_text(layer, "mediaType", ""), false)))
			note_change(state, layer);
	}
}

static int not_asked_for(const struct blob *blob, struct error *err)
{
	return error_set(err, ERROR_FAILED, "layer %s is not to be recoded", blob->digest);
}

/* Where the result is to be written at once to where it stays; -1 in *fd: nowhere. */
static int borrow_place(struct converted *state, const struct change *change, int *fd,
			struct error *err)
{
	struct transport *to = state->to;

	*fd = -1;
	if (!to->class->lend_place || (state->lent && state->lent != change))
		return 0;
	if (to->class->lend_place(to, fd, err) < 0)
		return -1;
	state->lent = *fd >= 0 ? change : NULL;
	return 0;
}

static enum compression resulting_way(const struct converted *state)
{
	return state->recoding.keep ? COMPRESSION_GZIP : state->recoding.way;
}

static int return_place(struct converted *state, struct recoded *recoded, struct error *err)
{
	const struct layer_type type = { .way = resulting_way(state) };
	const struct blob made = {
		.digest = recoded->digest,
		.size = recoded->size,
		.media_type = layer_type_name(&type, false),
	};

	state->lent = NULL;
	cleanup_fd_p(&recoded->fd);
	return state->to->class->take_place(state->to, &made, err);
}

/* As a destination: where the layers go that are recoded. */
static int recoder_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			      struct error *err)
{
	struct converted *state = t->state;
	struct change *change = find_change(state, blob->digest);
	int fd;

	if (!change)
		return not_asked_for(blob, err);
	recoder_free(change->recoder); /* of an attempt that broke */
	change->recoder = NULL;
	if (borrow_place(state, change, &fd, err) < 0)
		return -1;
	change->recoder = recoder_new(&state->recoding, fd, err);
	if (!change->recoder)
		return -1;
	sink->fd = -1;
	sink->state = SINK_WANTED;
	sink->take = recoder_write;
	sink->taker = change->recoder;
	return 0;
}

static int recoder_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			       struct error *err)
{
	struct converted *state = t->state;
	struct change *change = find_change(state, blob->digest);

	(void)sink;
	if (!change)
		return not_asked_for(blob, err);
	if (recoder_finish(change->recoder, &change->recoded, err) < 0)
		return error_prefix(err, "layer %s", blob->digest);
	change->is_done = true;
	recoder_free(change->recoder);
	change->recoder = NULL;
	return state->lent == change ? return_place(state, &change->recoded, err) : 0;
}

static const struct transport_class class_recoder = {
	.prefix = "recoder:",
	.offer_blob = recoder_offer_blob,
	.commit_blob = recoder_commit_blob,
};

/* Each layer keeps two threads busy, and takes megabytes of memory. */
static size_t recoders_at_once(size_t parallel)
{
	size_t most = (processors_usable() + 1) / 2;

	parallel = parallel ? parallel : TRANSFER_PARALLEL;
	return parallel < most ? parallel : most;
}

static int recode_layers(struct converted *state, struct http *http, size_t parallel,
			 struct error *err)
{
	struct transport recoder = { .class = &class_recoder, .name = (char *)"recoder" };
	cleanup_free struct blob *blobs = xcalloc(state->count + 1, sizeof *blobs);
	json_auto_t *in_place = json_object();
	struct progress silent = { .events_fd = -1 };
	struct transfer transfer = {
		.http = http,
		.from = state->from,
		.to = &recoder,
		.progress = &silent,
		.held_fd = -1,
		.parallel = recoders_at_once(parallel),
		.in_place = in_place,
	};

	recoder.state = state;
	for (size_t i = 0; i < state->count; i++)
		blobs[i] = state->changes[i].blob;
	return transfer_blobs(&transfer, blobs, state->count, err);
}

/* ---- the manifests ---- */

static const struct recoded *recoded_layer(const void *context, const char *digest)
{
	const struct change *change = find_change(context, digest);

	return change && change->is_done ? &change->recoded : NULL;
}

static const struct manifest *made_manifest(const void *context, const char *digest)
{
	const struct converted *state = context;

	for (size_t i = 0; i < state->made.count; i++)
		if (strcmp(state->old.manifests[i].digest, digest) == 0)
			return &state->made.manifests[i];
	return NULL;
}

/* What is in the layers must be what the configuration says of them. */
static int check_diff_ids(const struct converted *state, const struct manifest *manifest,
			  struct error *err)
{
	struct blob config;
	const json_t *layer;
	size_t i;

	if (!is_image(manifest) || state->count == 0)
		return 0;
	if (blob_from_json(json_object_get(manifest->json, "config"), state->from->name, &config,
			   err) < 0)
		return -1;
	cleanup_free char *text = transport_read_blob(state->from, &config, err);
	json_auto_t *json =
		text ? json_parse(text, (size_t)config.size, state->from->name, err) : NULL;
	if (!json)
		return -1;
	const json_t *diff_ids = json_path(json, "rootfs", "diff_ids", NULL);
	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		const struct recoded *recoded =
			recoded_layer(state, json_text(layer, "digest", ""));
		const char *diff_id = json_string_value(json_array_get(diff_ids, i));

		if (recoded && (!diff_id || strcmp(diff_id, recoded->diff_id) != 0))
			return error_set(err, ERROR_INTEGRITY,
					 "%s: layer %s is not the one that the configuration names",
					 state->from->name, json_text(layer, "digest", ""));
	}
	return 0;
}

/* Keep a configuration that was made, to be given as a blob. */
static int keep_config(struct converted *state, const json_t *config, struct error *err)
{
	cleanup_free char *text = json_compact(config);
	struct recoded *kept = &state->config;

	kept->size = (json_int_t)strlen(text);
	digest_of(text, strlen(text), "sha256", kept->digest);
	kept->fd = memfd_create("config", MFD_CLOEXEC);
	if (kept->fd < 0)
		return error_os(err, "cannot hold the config in memory");
	return file_write_fd(kept->fd, text, strlen(text), "config", err);
}

/* Now that the layers were read it is known what they are. */
static int convert_schema1(struct converted *state, const struct conversion *conversion,
			   const struct manifest *old, struct manifest *manifest, struct error *err)
{
	bool is_oci = conversion->format && strcmp(conversion->format, MANIFEST_OCI) == 0;
	struct layer_type type = { .way = resulting_way(state) };
	json_auto_t *diff_ids = json_array(), *layers = json_array();
	const json_t *layer;
	size_t i;

	json_array_foreach (state->schema1_layers, i, layer) {
		const struct recoded *recoded =
			recoded_layer(state, json_text(layer, "digest", ""));

		if (!recoded)
			continue;
		json_array_append_new(diff_ids, json_string(recoded->diff_id));
		json_array_append_new(layers, json_pack("{s:s, s:s, s:I}", "mediaType",
							layer_type_name(&type, !is_oci), "digest",
							recoded->digest, "size", recoded->size));
	}
	json_auto_t *config = schema1_config(old->json, diff_ids, state->from->name, err);
	if (!config || keep_config(state, config, err) < 0)
		return -1;
	json_auto_t *json =
		json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:O}", "schemaVersion", 2, "mediaType",
			  is_oci ? MANIFEST_OCI : MANIFEST_DOCKER, "config", "mediaType",
			  is_oci ? CONFIG_OCI : CONFIG_DOCKER, "digest", state->config.digest,
			  "size", state->config.size, "layers", layers);
	char *bytes = json_compact(json);
	return manifest_parse(bytes, strlen(bytes), NULL, NULL, state->from->name, manifest, err);
}

static int make_manifests(struct converted *state, const struct conversion *conversion,
			  struct error *err)
{
	const struct successors successors = {
		.layer = recoded_layer,
		.of_index = made_manifest,
		.context = state,
		.way = conversion->recoding.way,
	};
	struct plan *made = &state->made;

	made->manifests = xcalloc(state->old.count, sizeof *made->manifests);
	for (size_t i = 0; i < state->old.count; i++) {
		const struct manifest *old = &state->old.manifests[i];

		if (old->is_schema1
			    ? convert_schema1(state, conversion, old, &made->manifests[i], err) < 0
			    : check_diff_ids(state, old, err) < 0 ||
				      convert_manifest(old, conversion->format, &successors,
						       state->from->name, &made->manifests[i],
						       err) < 0)
			return -1;
		if (old == state->old.image)
			made->image = &made->manifests[i];
		made->count++;
	}
	return 0;
}

/* ---- the result, as a source ---- */

static int converted_open_blob(struct transport *t, const struct blob *blob,
			       struct blob_source *source, struct error *err)
{
	const struct converted *state = t->state;

	for (size_t i = 0; i <= state->count; i++) {
		const struct recoded *recoded =
			i < state->count ? &state->changes[i].recoded : &state->config;

		if (strcmp(recoded->digest, blob->digest) != 0)
			continue;
		source->fd = fcntl(recoded->fd, F_DUPFD_CLOEXEC, 0);
		source->is_whole = i < state->count; /* the config is only in memory */
		if (source->fd < 0 || lseek(source->fd, 0, SEEK_SET) < 0)
			return error_os(err, "%s", t->name);
		return 0;
	}
	return state->from->class->open_blob(state->from, blob, source, err);
}

static void converted_close(struct transport *t)
{
	struct converted *state = t->state;

	for (size_t i = 0; i < state->count; i++) {
		recoder_free(state->changes[i].recoder);
		cleanup_fd_p(&state->changes[i].recoded.fd);
	}
	free(state->changes);
	plan_free(&state->old);
	plan_free(&state->made);
	json_decref(state->schema1_layers);
	cleanup_fd_p(&state->config.fd);
	free(state);
}

static const struct transport_class class_converted = {
	.prefix = "converted:",
	.close = converted_close,
	.open_blob = converted_open_blob,
};

int convert(struct transport *from, struct transport *to, const struct conversion *conversion,
	    struct http *http, size_t parallel, struct plan *plan, struct transport *result,
	    struct error *err)
{
	struct converted *state = xcalloc(1, sizeof *state);

	state->config.fd = -1;
	*result = (struct transport){ .class = &class_converted, .state = state, .beneath = from };
	result->name = xstrdup(from->name);
	result->reference = from->reference ? xstrdup(from->reference) : NULL;
	state->from = from;
	state->to = to;
	state->recoding = conversion->recoding;
	for (size_t i = 0; i + 1 < plan->count; i++)
		if (plan->manifests[i].is_schema1)
			return error_set(err, ERROR_UNSUPPORTED,
					 "%s: an index with images of schema 1", from->name);
	if (plan_top(plan)->is_schema1) {
		state->schema1_layers = schema1_layers(plan_top(plan)->json, false);
		/* the layers are read in any case: nothing else says how large they are */
		state->recoding.keep = conversion->layers != LAYERS_RECODED;
	}
	state->old = *plan; /* the digests of blobs are borrowed from it */
	*plan = (struct plan){ 0 };
	for (size_t i = 0; i < state->old.count; i++)
		note_changes(state, conversion, &state->old.manifests[i]);
	if ((state->count > 0 && recode_layers(state, http, parallel, err) < 0) ||
	    make_manifests(state, conversion, err) < 0)
		return -1;
	*plan = state->made;
	state->made = (struct plan){ 0 };
	return 0;
}

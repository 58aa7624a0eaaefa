/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/referrers_tag.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"

#include <string.h>

enum { NESTING_MAX = 4 };

struct walk {
	struct transport *from, *to;
	const struct companions *ours, *theirs; /* of from and to */
	struct transfer transfer;
	json_t *subjects; /* an array of digests; those from `next` on are still to be asked for */
	json_t *seen;	  /* an object whose keys are the same */
	size_t next, limit;
};

/* What refers to it is to be carried along, too. */
static int add_subject(struct walk *walk, const char *digest, struct error *err)
{
	if (json_object_get(walk->seen, digest))
		return 0;
	if (json_array_size(walk->subjects) == walk->limit)
		return error_set(err, ERROR_LIMIT, "%s has more than %d referrers",
				 walk->from->name, REFERRERS_MAX);
	json_object_set_new(walk->seen, digest, json_true());
	json_array_append_new(walk->subjects, json_string(digest));
	return 0;
}

/* ---- one manifest ---- */

static int move_blobs(struct walk *walk, const struct manifest *manifest, struct error *err)
{
	size_t count = 0;
	const json_t *layers = json_object_get(manifest->json, "layers");
	cleanup_free struct blob *blobs = xcalloc(1 + json_array_size(layers), sizeof *blobs);

	manifest_add_blobs(manifest, blobs, &count);
	return transfer_blobs(&walk->transfer, blobs, count, err);
}

/* Everything that it names, so that it can be put. */
static int move_content(struct walk *walk, const struct manifest *manifest, int depth,
			struct error *err)
{
	const json_t *entry;
	size_t i;

	if (manifest->is_schema1)
		return error_set(err, ERROR_UNSUPPORTED,
				 "%s: the referrer %s is a manifest of schema 1", walk->from->name,
				 manifest->digest);
	if (!manifest->is_index)
		return move_blobs(walk, manifest, err);
	if (depth == NESTING_MAX)
		return error_set(err, ERROR_LIMIT, "%s: a referrer is nested deeper than %d",
				 walk->from->name, NESTING_MAX);
	json_array_foreach (json_object_get(manifest->json, "manifests"), i, entry) {
		cleanup_manifest struct manifest inner = { 0 };
		struct blob blob;

		if (blob_from_json(entry, walk->from->name, &blob, err) < 0)
			return -1;
		if (json_object_get(walk->transfer.in_place, blob.digest))
			continue;
		if (walk->from->class->get_manifest(walk->from, blob.digest, &inner, err) < 0 ||
		    move_content(walk, &inner, depth + 1, err) < 0 ||
		    walk->to->class->put_manifest(walk->to, &inner, false, err) < 0)
			return -1;
		json_object_set_new(walk->transfer.in_place, blob.digest, json_true());
	}
	return 0;
}

/* ---- referrers ---- */

static bool lists(const json_t *entries, const char *digest)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		if (strcmp(json_text(entry, "digest", ""), digest) == 0)
			return true;
	}
	return false;
}

/* 1: it was copied. A list is not always right: what is gone, or about something else, is left. */
static int copy_referrer(struct walk *walk, const char *digest, const char *subject,
			 struct error *err)
{
	cleanup_manifest struct manifest manifest = { 0 };

	if (walk->from->class->get_manifest(walk->from, digest, &manifest, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		log_message(LOG_LEVEL_WARN, "%s: the referrer %s is listed, but not there",
			    walk->from->name, digest);
		return 0;
	}
	if (!referrer_is_about(&manifest, subject)) {
		log_message(LOG_LEVEL_WARN, "%s: %s is listed as a referrer of %s, but is none",
			    walk->from->name, digest, subject);
		return 0;
	}
	if (move_content(walk, &manifest, 0, err) < 0 ||
	    walk->theirs->put(walk->to, NULL, &manifest, err) < 0)
		return -1;
	return 1;
}

/* Where the destination has no API its clients keep the list, under a tag. */
static int put_list(struct walk *walk, const char *subject, json_t *entries, struct error *err)
{
	cleanup_free char *tag = referrers_tag(subject, "");
	json_auto_t *json = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
				      MANIFEST_OCI_INDEX, "manifests", entries);
	char *bytes = json_compact(json);
	cleanup_manifest struct manifest index = { 0 };

	if (manifest_parse(bytes, strlen(bytes), MANIFEST_OCI_INDEX, NULL, walk->to->name, &index,
			   err) < 0)
		return -1;
	return walk->theirs->put(walk->to, tag, &index, err);
}

static int copy_referrers(struct walk *walk, const char *subject, struct error *err)
{
	json_auto_t *ours = NULL, *theirs = NULL;
	bool ignored, keeps_list, is_changed = false;
	json_t *entry;
	size_t i;

	if (walk->ours->list(walk->from, subject, &ours, &ignored, err) < 0)
		return -1;
	if (json_array_size(ours) == 0)
		return 0;
	if (walk->theirs->list(walk->to, subject, &theirs, &keeps_list, err) < 0)
		return -1;
	json_array_foreach (ours, i, entry) {
		struct blob blob;
		int status = 0;

		if (blob_from_json(entry, walk->from->name, &blob, err) < 0 ||
		    add_subject(walk, blob.digest, err) < 0)
			return -1;
		if (lists(theirs, blob.digest))
			continue;
		status = copy_referrer(walk, blob.digest, subject, err);
		if (status < 0)
			return -1;
		if (status == 1)
			json_array_append(theirs, entry);
		is_changed = is_changed || status == 1;
	}
	return is_changed && !keeps_list ? put_list(walk, subject, theirs, err) : 0;
}

/* ---- tags ---- */

/* The layers, each a signature or an attestation; or the manifests of an index. */
static const json_t *parts(const struct manifest *manifest)
{
	return json_object_get(manifest->json, manifest->is_index ? "manifests" : "layers");
}

/* True where all of `some` are in `all`, with the same annotations. */
static bool are_within(const json_t *some, const json_t *all)
{
	const json_t *one, *other;
	size_t i, j;

	json_array_foreach (some, i, one) {
		bool found = false;

		json_array_foreach (all, j, other) {
			found = found || json_equal(one, other);
		}
		if (!found)
			return false;
	}
	return true;
}

/* 1: the destination has what is in `ours`, and perhaps more; 0: it has nothing else. */
static int has_already(struct walk *walk, const char *tag, const struct manifest *ours,
		       struct error *err)
{
	cleanup_manifest struct manifest theirs = { 0 };

	if (walk->theirs->get(walk->to, tag, &theirs, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	if (are_within(parts(ours), parts(&theirs)))
		return 1;
	if (are_within(parts(&theirs), parts(ours)))
		return 0;
	error_set(err, ERROR_EXISTS, "%s: the tag %s has something that the source's has not",
		  walk->to->name, tag);
	return error_hint(err, "what is there would be lost: delete the tag to replace it");
}

static int copy_tag(struct walk *walk, const char *subject, const char *suffix, struct error *err)
{
	cleanup_free char *tag = referrers_tag(subject, suffix);
	cleanup_manifest struct manifest manifest = { 0 };

	if (walk->ours->get(walk->from, tag, &manifest, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	int status = has_already(walk, tag, &manifest, err);
	if (status < 0 || add_subject(walk, manifest.digest, err) < 0)
		return -1;
	if (status == 1)
		return 0;
	return move_content(walk, &manifest, 0, err) < 0
		       ? -1
		       : walk->theirs->put(walk->to, tag, &manifest, err);
}

/* ---- the graph ---- */

static int walk_graph(struct walk *walk, struct error *err)
{
	static const char *const suffixes[] = { ".sig", ".att", ".sbom" };

	for (; walk->next < json_array_size(walk->subjects); walk->next++) {
		const char *subject = json_string_value(json_array_get(walk->subjects, walk->next));

		if (copy_referrers(walk, subject, err) < 0)
			return -1;
		for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
			if (copy_tag(walk, subject, suffixes[i], err) < 0)
				return -1;
	}
	return 0;
}

int referrers_copy(struct transport *from, struct transport *to, const struct plan *plan,
		   struct http *http, size_t parallel, struct error *err)
{
	json_auto_t *subjects = json_array(), *seen = json_object(), *in_place = json_object();
	struct progress silent = { .events_fd = -1 };
	struct walk walk = {
		.from = from,
		.to = to,
		.ours = from->class->companions,
		.theirs = to->class->companions,
		.transfer = { .http = http,
			      .from = from,
			      .to = to,
			      .progress = &silent,
			      .held_fd = -1,
			      .parallel = to->is_sequential ? 1 : parallel,
			      .in_place = in_place },
		.subjects = subjects,
		.seen = seen,
		.limit = plan->count + REFERRERS_MAX,
	};

	for (size_t i = 0; i < plan->count; i++)
		if (add_subject(&walk, plan->manifests[i].digest, err) < 0)
			return -1;
	return walk_graph(&walk, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* delete: take a tag, or a manifest with all its tags, out of a registry; or an image out of an OCI
 * layout. */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/layout_delete.h"
#include "skopeo-c/prune_look.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/registry_missing.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/tag_survey.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 5 };

struct delete_settings {
	struct access access;
	bool all_tags;
	const char *daemon, *blob_dir, *registries_d;
};

static const struct delete_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct delete_settings, name)

static const struct cli_option options[] = {
	{ "all-tags", 0, NULL, OPTION_FLAG, FIELD(all_tags),
	  "delete the manifest, and so every tag that points to it" },
	{ "daemon-host", 0, "HOST", OPTION_STRING, FIELD(daemon), NULL },
	{ "shared-blob-dir", 0, "DIR", OPTION_STRING, FIELD(blob_dir),
	  "directory with the blobs of an oci: layout, which are kept" },
	{ "registries.d", 0, "DIR", OPTION_STRING, FIELD(registries_d),
	  "signature storage configuration, instead of registries.d" },
	ACCESS_OPTIONS,
	{ 0 },
};

struct deletion {
	const struct cli *cli;
	struct http *http;
	struct reference reference;
	char *name; /* as errors call it */
	struct registry registry;
	char digest[DIGEST_SIZE];
};

static void deletion_close(struct deletion *deletion)
{
	registry_close(&deletion->registry);
	reference_free(&deletion->reference);
	free(deletion->name);
	http_free(deletion->http);
}

#define cleanup_deletion __attribute__((cleanup(deletion_close)))

static int open_registry(struct deletion *deletion, struct error *err)
{
	const struct delete_settings *settings = deletion->cli->settings;
	const char *operand = deletion->cli->operands[0];
	struct reference *reference = &deletion->reference;

	if (settings->blob_dir)
		return cli_usage(deletion->cli, err, "--shared-blob-dir is for oci: layouts");
	if (strncmp(operand, "docker://", 9) != 0)
		return cli_usage(deletion->cli, err,
				 "only docker://NAME and oci:DIR[:REF] can be deleted");
	if (reference_parse(operand + 9, reference, err) < 0)
		return -1;
	if (!reference->tag && !reference->digest)
		return cli_usage(deletion->cli, err,
				 "\"%s\" has no tag and no digest: say what is to be deleted",
				 operand);
	deletion->name = reference_text(reference);
	deletion->http = http_new(err);
	return deletion->http ? registry_open_named(deletion->http, &settings->access, operand + 9,
						    true, "delete,pull", &deletion->registry, err)
			      : -1;
}

/* Which manifest the tag stands for. */
static int resolve(struct deletion *deletion, struct error *err)
{
	const struct reference *reference = &deletion->reference;
	cleanup_registry_call struct registry_call call = { 0 };

	tag_survey_call(&call, &deletion->registry, "HEAD",
			reference->digest ? reference->digest : reference->tag);
	if (registry_call_run(&call, err) < 0)
		return error_subject(err, deletion->name);
	if (call.request.status == 404) {
		if (registry_missing(&call, err) < 0)
			return error_subject(err, deletion->name);
		error_set(err, ERROR_NOT_FOUND, "no image %s in the registry", deletion->name);
		return error_subject(err, deletion->name);
	}
	if (call.request.status != 200)
		return registry_refused(&call, deletion->name, err);
	const char *digest = reference->digest
				     ? reference->digest
				     : http_header(&call.request, "docker-content-digest", 0);
	if (!digest || !digest_is_valid(digest))
		return error_set(err, ERROR_INTEGRITY, "%s: the registry does not name its digest",
				 deletion->name);
	snprintf(deletion->digest, sizeof deletion->digest, "%s", digest);
	return 0;
}

/* 1: it is deleted. 0: the registry does not delete such a thing. */
static int try_delete(struct deletion *deletion, const char *wanted, struct registry_call *call,
		      struct error *err)
{
	tag_survey_call(call, &deletion->registry, "DELETE", wanted);
	if (registry_call_run(call, err) < 0)
		return error_subject(err, deletion->name);
	return call->request.status / 100 == 2;
}

static int delete_manifest(struct deletion *deletion, struct error *err)
{
	cleanup_registry_call struct registry_call call = { 0 };
	int status = try_delete(deletion, deletion->digest, &call, err);

	return status == 0 ? registry_refused(&call, deletion->name, err) : status < 0 ? -1 : 0;
}

/* ---- what else of the repository needs the manifest ---- */

struct survey {
	struct tags tags; /* whose texts the answers borrow */
	struct tag_answer *answers;
	size_t count;
};

static void survey_free(struct survey *survey)
{
	free(survey->answers);
	tags_free(&survey->tags);
}

#define cleanup_survey __attribute__((cleanup(survey_free)))

static int ask_for_tags(struct deletion *deletion, struct survey *survey, struct error *err)
{
	tags_start(&survey->tags, &deletion->registry);
	if (tags_wait(&survey->tags, err) < 0)
		return -1;
	survey->count = json_array_size(survey->tags.list);
	survey->answers = xcalloc(survey->count + 1, sizeof *survey->answers);
	return tag_survey(&deletion->registry, survey->tags.list, survey->answers, err);
}

/* The other tags of the manifest, in the registry's order; one of which the registry does not say
 * what it is may be one. The caller owns the array. */
static json_t *find_sharing(const struct deletion *deletion, const struct survey *survey)
{
	const char *named = deletion->reference.tag;
	json_t *sharing = json_array();

	for (size_t i = 0; i < survey->count; i++) {
		const struct tag_answer *answer = &survey->answers[i];

		if (!answer->is_gone &&
		    (!answer->digest[0] || strcmp(answer->digest, deletion->digest) == 0) &&
		    !(named && strcmp(answer->tag, named) == 0))
			json_array_append_new(sharing, json_string(answer->tag));
	}
	return sharing;
}

/* 1: the index names the manifest, or an index that does. */
static int is_named_by(const struct deletion *deletion, struct transport *from, const char *index,
		       struct error *err)
{
	json_auto_t *needs = json_array();
	const json_t *digest;
	size_t i;

	if (prune_look_index(from, index, needs, err) < 0)
		return -1;
	json_array_foreach (needs, i, digest) {
		if (strcmp(json_string_value(digest), deletion->digest) == 0)
			return 1;
	}
	return 0;
}

/* The tags of the indexes that name the manifest. The caller owns the array. */
static json_t *find_indexes(const struct deletion *deletion, const struct survey *survey,
			    struct error *err)
{
	const struct delete_settings *settings = deletion->cli->settings;
	const struct transport_settings reading = { .cli = deletion->cli,
						    .http = deletion->http,
						    .access = settings->access,
						    .is_destination = true };
	cleanup_transport struct transport from = { 0 };
	json_auto_t *indexes = json_array(), *asked = json_object();

	if (transport_open(&from, deletion->cli->operands[0], &reading, err) < 0)
		return NULL;
	for (size_t i = 0; i < survey->count; i++) {
		const struct tag_answer *answer = &survey->answers[i];

		if (answer->is_gone || answer->is_image ||
		    strcmp(answer->digest, deletion->digest) == 0)
			continue;
		if (!json_object_get(asked, answer->digest)) {
			int named = is_named_by(deletion, &from, answer->digest, err);

			if (named < 0)
				return NULL;
			json_object_set_new(asked, answer->digest, json_boolean(named == 1));
		}
		if (json_is_true(json_object_get(asked, answer->digest)))
			json_array_append_new(indexes, json_string(answer->tag));
	}
	return json_incref(indexes);
}

/* "tag one", "tags one, two, ...": the caller frees it. */
static char *name_tags(const json_t *tags)
{
	size_t count = json_array_size(tags);
	char *names = xasprintf("tag%s", count == 1 ? "" : "s");

	for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
		char *longer = xasprintf("%s%s %s", names, i ? "," : "",
					 json_string_value(json_array_get(tags, i)));

		free(names);
		names = longer;
	}
	if (count <= NAMED_MAX)
		return names;
	char *longer = xasprintf("%s, ...", names);
	free(names);
	return longer;
}

static int refuse(const struct deletion *deletion, const char *why, const json_t *tags,
		  const char *hint, struct error *err)
{
	cleanup_free char *names = name_tags(tags);

	error_set(err, ERROR_IN_USE, "%s: the registry deletes manifests only, and this one %s %s",
		  deletion->name, why, names);
	error_subject(err, deletion->name);
	return error_hint(err, "%s", hint);
}

/* Of an index, one image would be gone. */
static int refuse_needed(struct deletion *deletion, struct error *err)
{
	cleanup_survey struct survey survey = { 0 };

	if (ask_for_tags(deletion, &survey, err) < 0)
		return -1;
	json_auto_t *sharing = find_sharing(deletion, &survey);
	if (json_array_size(sharing) > 0)
		return refuse(deletion, "also has the", sharing, "--all-tags deletes them too",
			      err);
	json_auto_t *indexes = find_indexes(deletion, &survey, err);
	if (!indexes)
		return -1;
	return json_array_size(indexes) == 0
		       ? 0
		       : refuse(deletion, "is a part of the index with the", indexes,
				"delete that first; --all-tags deletes the manifest all the same",
				err);
}

/* ---- the deletion ---- */

/* The tag alone, or where the registry cannot do that the manifest, when no other tag needs it.
 * *whole: whether it was the manifest. */
static int delete_tag(struct deletion *deletion, bool *whole, struct error *err)
{
	cleanup_registry_call struct registry_call call = { 0 };
	int status = try_delete(deletion, deletion->reference.tag, &call, err);

	*whole = status == 0;
	if (status != 0)
		return status < 0 ? -1 : 0;
	return refuse_needed(deletion, err) < 0 ? -1 : delete_manifest(deletion, err);
}

/* The manifest with its tags, which are told before that. *with: they, but for the named one; NULL
 * where the registry does not list its tags. The caller owns them. */
static int delete_all(struct deletion *deletion, json_t **with, struct error *err)
{
	struct error problem = { 0 };
	cleanup_survey struct survey survey = { 0 };
	json_auto_t *sharing = ask_for_tags(deletion, &survey, &problem) < 0
				       ? NULL
				       : find_sharing(deletion, &survey);

	if (cli_interrupted())
		return cli_fail_interrupted(err);
	if (!sharing) {
		log_message(LOG_LEVEL_WARN, "%s: its tags cannot be listed: %s", deletion->name,
			    problem.message);
	} else if (json_array_size(sharing) > 0) {
		cleanup_free char *names = name_tags(sharing);

		log_message(LOG_LEVEL_WARN, "%s: its manifest has, and takes along, the %s",
			    deletion->name, names);
	}
	if (delete_manifest(deletion, err) < 0)
		return -1;
	*with = json_incref(sharing);
	return 0;
}

static int delete_from_registry(const struct cli *cli, struct error *err)
{
	const struct delete_settings *settings = cli->settings;
	cleanup_deletion struct deletion deletion = { .cli = cli };
	json_auto_t *with = NULL;
	bool whole = true;

	if (open_registry(&deletion, err) < 0 || resolve(&deletion, err) < 0)
		return -1;
	int status = deletion.reference.digest || settings->all_tags
			     ? delete_all(&deletion, &with, err)
			     : delete_tag(&deletion, &whole, err);
	if (status < 0)
		return -1;
	if (whole)
		signature_registry_forget(&deletion.registry, settings->registries_d, deletion.name,
					  deletion.digest);
	json_auto_t *result = json_pack("{s:s, s:s, s:s}", "name", deletion.name, "deleted",
					whole ? "manifest" : "tag", "digest", deletion.digest);
	if (with)
		json_object_set(result, "tags", with);
	return output_object(cli, result, err);
}

static int delete_from_layout(const struct cli *cli, const char *place, struct error *err)
{
	const struct delete_settings *settings = cli->settings;

	if (settings->all_tags)
		return cli_usage(cli, err, "--all-tags is for docker://");
	json_auto_t *result = layout_delete(place, settings->blob_dir, cli->root, err);
	return result ? output_object(cli, result, err) : -1;
}

static int delete_run(const struct cli *cli, struct error *err)
{
	const struct delete_settings *settings = cli->settings;
	const char *operand = cli->operands[0];

	if (settings->daemon)
		return cli_usage(cli, err,
				 "--daemon-host is for a transport where nothing can be deleted");
	return strncmp(operand, "oci:", 4) == 0 ? delete_from_layout(cli, operand + 4, err)
						: delete_from_registry(cli, err);
}

const struct cli_command delete_command = {
	.name = "delete",
	.operands = "docker://NAME:TAG|...@DIGEST|oci:DIR[:REF]",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "delete a tag or a manifest from a registry or a layout",
	.details = "NAME:TAG deletes only the tag; if the registry can only delete manifests, its\n"
		   "manifest, unless another tag needs it. NAME@DIGEST deletes the manifest.\n"
		   "In a layout, blobs that no other image needs are deleted as well.",
	.options = options,
	.settings_size = sizeof(struct delete_settings),
	.defaults = &defaults,
	.run = delete_run,
};

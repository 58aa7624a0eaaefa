/* SPDX-License-Identifier: Apache-2.0 */
/* prune: delete the tags of a repository that nobody wants any more. */
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/age.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/prune-look.h"
#include "skopeo-c/prune-plan.h"
#include "skopeo-c/sync-check.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct prune_settings {
	struct access access;
	struct tag_filter_options tags;
	const char *older_than;
	long long keep;
	bool dry_run;
};

static const struct prune_settings defaults = {
	.access = ACCESS_DEFAULTS,
	.keep = -1,
};

#define FIELD(name) offsetof(struct prune_settings, name)

static const struct cli_option options[] = {
	{ "older-than", 0, "AGE", OPTION_STRING, FIELD(older_than),
	  "only images made longer ago than AGE: 36h, 90d" },
	{ "keep", 0, "N", OPTION_NUMBER, FIELD(keep), "keep the N newest of the images" },
	TAG_FILTER_OPTIONS(tags),
	{ "dry-run", 0, NULL, OPTION_FLAG, FIELD(dry_run), "only say what would be deleted" },
	ACCESS_OPTIONS,
	{ 0 },
};

struct pruning {
	const struct cli *cli;
	struct http *http;
	char *name; /* "docker.io/library/nginx" */
	struct registry registry;
	struct tag_filter filter;
	struct prune_rules rules;
	struct tags tags; /* whose text the plan borrows */
	struct prune_plan plan;
	bool has_no_tag_deletes; /* the registry has refused one */
	json_t *gone;		 /* the manifests that were deleted: an object's keys */
	json_t *rows;
	struct sync_failures failures;
};

static void pruning_close(struct pruning *pruning)
{
	prune_plan_free(&pruning->plan);
	tags_free(&pruning->tags);
	tag_filter_free(&pruning->filter);
	registry_close(&pruning->registry);
	json_decref(pruning->gone);
	json_decref(pruning->rows);
	free(pruning->name);
	http_free(pruning->http);
}

#define cleanup_pruning __attribute__((cleanup(pruning_close)))

/* ---- options ---- */

static int make_rules(struct pruning *pruning, struct error *err)
{
	const struct prune_settings *settings = pruning->cli->settings;
	struct tag_filter *filter = &pruning->filter;
	struct prune_rules *rules = &pruning->rules;

	*rules = (struct prune_rules){ .filter = filter, .oldest = -1, .keep = settings->keep };
	if (!settings->older_than && settings->keep < 0 && !settings->tags.semver &&
	    settings->tags.include.count == 0)
		return cli_usage(pruning->cli, err,
				 "say what is not wanted: --older-than, --keep, --include-tags or "
				 "--semver");
	if (settings->keep != -1 && settings->keep < 1)
		return cli_usage(pruning->cli, err, "--keep is at least 1");
	if (settings->older_than && age_parse(settings->older_than, &rules->oldest) < 0)
		return cli_usage(pruning->cli, err, "--older-than is a time such as 36h or 90d");
	return tag_filter_make(&settings->tags, filter, err);
}

static int open_registry(struct pruning *pruning, struct error *err)
{
	const struct prune_settings *settings = pruning->cli->settings;
	const char *operand = pruning->cli->operands[0];
	cleanup_reference struct reference reference = { 0 };

	if (strncmp(operand, "docker://", 9) != 0)
		return cli_usage(pruning->cli, err, "only docker://NAME can be pruned");
	if (reference_parse(operand + 9, &reference, err) < 0)
		return -1;
	if (reference.tag || reference.digest)
		return cli_usage(pruning->cli, err, "\"%s\" names one image, not a repository",
				 operand);
	pruning->name = reference_name(&reference);
	pruning->http = http_new(err);
	return pruning->http
		       ? sync_open_registry(pruning->name, true, &settings->access, "delete,pull",
					    pruning->http, &pruning->registry, err)
		       : -1;
}

/* ---- what goes ---- */

static int survey(struct pruning *pruning, struct error *err)
{
	tags_start(&pruning->tags, &pruning->registry);
	if (tags_wait(&pruning->tags, err) < 0)
		return -1;
	size_t count = json_array_size(pruning->tags.list);
	cleanup_free struct tag_answer *answers = xcalloc(count + 1, sizeof *answers);
	if (tag_survey(&pruning->registry, pruning->tags.list, answers, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!answers[i].is_gone && !answers[i].digest[0])
			return error_set(err, ERROR_INTEGRITY,
					 "%s:%s: the registry does not name its digest",
					 pruning->name, answers[i].tag);
	prune_plan_make(&pruning->plan, answers, count, &pruning->rules);
	return 0;
}

static int make_plan(struct pruning *pruning, struct error *err)
{
	const struct prune_settings *settings = pruning->cli->settings;
	/* like a destination: the registry itself, whatever mirrors there are */
	const struct transport_settings reading = { .cli = pruning->cli,
						    .http = pruning->http,
						    .access = settings->access,
						    .is_destination = true };
	cleanup_free char *place = xasprintf("docker://%s", pruning->name);
	cleanup_transport struct transport from = { 0 };
	struct prune_plan *plan = &pruning->plan;

	if (survey(pruning, err) < 0 || transport_open(&from, place, &reading, err) < 0 ||
	    (prune_rules_ask_age(&pruning->rules) && prune_look_ages(&from, plan, err) < 0))
		return -1;
	prune_plan_judge(plan, &pruning->rules);
	if (prune_look_needs(&from, plan, err) < 0)
		return -1;
	prune_plan_protect(plan);
	return 0;
}

/* ---- the deletion ---- */

/* 1: it is not there any more. 0: the registry does not delete such a thing, see `call`. */
static int try_delete(struct pruning *pruning, const char *wanted, struct registry_call *call,
		      struct error *err)
{
	tag_survey_call(call, &pruning->registry, "DELETE", wanted);
	if (registry_call_run(call, err) < 0)
		return -1;
	return call->request.status / 100 == 2;
}

/* *status: what became of the tag. */
static int delete_tag(struct pruning *pruning, const struct prune_tag *tag, const char **status,
		      struct error *err)
{
	const char *digest = pruning->plan.images[tag->image].digest;
	bool is_needed = prune_plan_protects(&pruning->plan, digest);
	cleanup_registry_call struct registry_call by_tag = { 0 }, by_digest = { 0 };

	*status = is_needed ? "untagged" : "deleted";
	if (json_object_get(pruning->gone, digest))
		return 0;
	if (!pruning->has_no_tag_deletes) {
		int deleted = try_delete(pruning, tag->name, &by_tag, err);

		if (deleted != 0)
			return deleted < 0 ? -1 : 0;
		pruning->has_no_tag_deletes = by_tag.request.status != 404;
	}
	if (is_needed) {
		*status = "kept";
		return 0;
	}
	int deleted = try_delete(pruning, digest, &by_digest, err);
	if (deleted < 0)
		return -1;
	if (deleted == 0 && by_digest.request.status != 404)
		return registry_refused(&by_digest, tag->name, err);
	json_object_set_new(pruning->gone, digest, json_true());
	return 0;
}

static void put_time(json_t *row, int64_t made)
{
	char text[sizeof "2026-01-02T03:04:05Z"];
	time_t when = (time_t)made;
	struct tm tm;

	if (made >= 0 && gmtime_r(&when, &tm) &&
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		json_object_set_new(row, "created", json_string(text));
}

static int prune_tag(struct pruning *pruning, const struct prune_tag *tag, struct error *err)
{
	const struct prune_settings *settings = pruning->cli->settings;
	const struct prune_image *image = &pruning->plan.images[tag->image];
	const json_t *needing = prune_plan_protects(&pruning->plan, image->digest);
	cleanup_free char *name = xasprintf("%s:%s", pruning->name, tag->name);
	json_t *row = json_pack("{s:s, s:s}", "name", name, "digest", image->digest);
	const char *status = needing ? "would-untag" : "would-delete";
	struct error problem = { 0 };

	json_array_append_new(pruning->rows, row);
	put_time(row, image->made);
	if (needing)
		json_object_set(row, "neededBy", (json_t *)needing);
	if (!settings->dry_run && delete_tag(pruning, tag, &status, &problem) < 0) {
		if (cli_interrupted())
			return error_set(err, ERROR_FAILED, "interrupted");
		status = "failed";
		json_object_set_new(row, "error",
				    error_json(&problem, pruning->cli->tool, pruning->cli->verb));
		sync_note_failure(&pruning->failures, problem.kind, problem.message);
	}
	json_object_set_new(row, "status", json_string(status));
	return 0;
}

/* Companions first: as long as their image is there, the next prune finds what this one left. */
static int prune_tags(struct pruning *pruning, struct error *err)
{
	const struct prune_plan *plan = &pruning->plan;

	for (int companions = 1; companions >= 0; companions--)
		for (size_t i = 0; i < plan->count; i++)
			if (plan->tags[i].is_doomed &&
			    plan->tags[i].is_companion == (companions == 1) &&
			    prune_tag(pruning, &plan->tags[i], err) < 0)
				return -1;
	return 0;
}

static int prune_run(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = { { "STATUS", "status", COLUMN_TEXT },
							{ "NAME", "name", COLUMN_TEXT },
							{ "CREATED", "created", COLUMN_TEXT },
							{ "NEEDED BY", "neededBy", COLUMN_TEXT },
							{ 0 } };
	cleanup_pruning struct pruning pruning = { .cli = cli,
						   .gone = json_object(),
						   .rows = json_array() };

	if (make_rules(&pruning, err) < 0 || open_registry(&pruning, err) < 0 ||
	    make_plan(&pruning, err) < 0 || prune_tags(&pruning, err) < 0 ||
	    output_list(cli, pruning.rows, columns, err) < 0)
		return -1;
	if (pruning.failures.count == 0)
		return 0;
	return error_set(err, pruning.failures.kind, "%zu of %zu tags failed, the first: %s",
			 pruning.failures.count, json_array_size(pruning.rows),
			 pruning.failures.first);
}

const struct cli_command prune_command = {
	.name = "prune",
	.operands = "docker://NAME",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "delete tags of a repository by age, number and pattern",
	.details = "What all of the options say is deleted, with its signatures; never a manifest\n"
		   "that a tag needs which stays.",
	.options = options,
	.settings_size = sizeof(struct prune_settings),
	.defaults = &defaults,
	.run = prune_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* prune: delete the tags of a repository that nobody wants any more. */
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/age.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/prune_repository.h"
#include "skopeo-c/sync_list.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct prune_settings {
	struct access access;
	struct tag_filter_options tags;
	const char *older_than, *registries_d;
	long long keep; /* LLONG_MIN: it is not given */
	bool dry_run;
};

static const struct prune_settings defaults = {
	.access = ACCESS_DEFAULTS,
	.keep = LLONG_MIN,
};

#define FIELD(name) offsetof(struct prune_settings, name)

static const struct cli_option options[] = {
	{ "older-than", 0, "AGE", OPTION_STRING, FIELD(older_than),
	  "only images older than AGE: 36h, 90d" },
	{ "keep", 0, "N", OPTION_NUMBER, FIELD(keep), "keep the N newest of the images" },
	TAG_FILTER_OPTIONS(tags),
	{ "registries.d", 0, "DIR", OPTION_STRING, FIELD(registries_d),
	  "signature storage configuration, instead of registries.d" },
	{ "dry-run", 0, NULL, OPTION_FLAG, FIELD(dry_run), "only print what would be deleted" },
	ACCESS_OPTIONS,
	{ 0 },
};

struct pruning {
	const struct cli *cli;
	struct http *http;
	struct prune_repository repository;
	struct tag_filter filter;
	struct prune_rules rules;
	json_t *rows;
	struct sync_failures failures;
};

static void pruning_close(struct pruning *pruning)
{
	prune_repository_close(&pruning->repository);
	tag_filter_free(&pruning->filter);
	json_decref(pruning->rows);
	http_free(pruning->http);
}

#define cleanup_pruning __attribute__((cleanup(pruning_close)))

/* ---- options ---- */

static int make_rules(struct pruning *pruning, struct error *err)
{
	const struct prune_settings *settings = pruning->cli->settings;
	struct tag_filter *filter = &pruning->filter;
	struct prune_rules *rules = &pruning->rules;
	bool keeps = settings->keep != LLONG_MIN;

	*rules = (struct prune_rules){ .filter = filter,
				       .oldest = -1,
				       .keep = keeps ? settings->keep : -1 };
	if (!settings->older_than && !keeps && !settings->tags.semver &&
	    settings->tags.include.count == 0)
		return cli_usage(pruning->cli, err,
				 "say what is not wanted: --older-than, --keep, --include-tags or "
				 "--semver");
	if (keeps && settings->keep < 1)
		return cli_usage(pruning->cli, err, "--keep is at least 1");
	if (settings->older_than && age_parse(settings->older_than, &rules->oldest) < 0)
		return cli_usage(pruning->cli, err, "--older-than is a time such as 36h or 90d");
	return tag_filter_make(&settings->tags, filter, err);
}

static int open_repository(struct pruning *pruning, struct error *err)
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
	cleanup_free char *name = reference_name(&reference);
	pruning->http = http_new(err);
	const struct transport_settings reading = { .cli = pruning->cli,
						    .http = pruning->http,
						    .access = settings->access,
						    .registries_d = settings->registries_d };
	return pruning->http ? prune_repository_open(&pruning->repository, name, &reading, err)
			     : -1;
}

/* ---- the deletion ---- */

static void put_time(json_t *row, int64_t made)
{
	char text[sizeof "2026-01-02T03:04:05Z"];
	time_t when = (time_t)made;
	struct tm tm;

	if (made >= 0 && gmtime_r(&when, &tm) &&
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		json_object_set_new(row, "created", json_string(text));
}

/* What became of the tag. */
static const char *delete_tag(struct pruning *pruning, const struct prune_tag *tag, json_t *row)
{
	static const char *const outcomes[] = { "deleted", "untagged", "kept" };
	struct error problem = { 0 };
	enum prune_outcome outcome = prune_repository_delete(&pruning->repository, tag, &problem);

	if (outcome != PRUNE_FAILED)
		return outcomes[outcome];
	json_object_set_new(row, "error",
			    error_json(&problem, pruning->cli->tool, pruning->cli->verb));
	sync_note_failure(&pruning->failures, problem.kind, problem.message);
	return "failed";
}

static void prune_tag(struct pruning *pruning, const struct prune_tag *tag)
{
	const struct prune_settings *settings = pruning->cli->settings;
	const struct prune_plan *plan = &pruning->repository.plan;
	const struct prune_image *image = prune_plan_image(plan, tag);
	const json_t *needing = prune_plan_protects(plan, image->digest);
	cleanup_free char *name = xasprintf("%s:%s", pruning->repository.name, tag->name);
	json_t *row = json_pack("{s:s, s:s}", "name", name, "digest", image->digest);
	const char *status = needing ? "would-untag" : "would-delete";

	json_array_append_new(pruning->rows, row);
	put_time(row, image->made);
	if (needing)
		json_object_set(row, "neededBy", (json_t *)needing);
	if (!settings->dry_run)
		status = delete_tag(pruning, tag, row);
	json_object_set_new(row, "status", json_string(status));
}

static int prune_tags(struct pruning *pruning, struct error *err)
{
	cleanup_free const struct prune_tag **doomed = prune_plan_doomed(&pruning->repository.plan);

	for (size_t i = 0; doomed[i]; i++) {
		prune_tag(pruning, doomed[i]);
		if (cli_interrupted())
			return cli_fail_interrupted(err);
	}
	return 0;
}

static int prune_run(const struct cli *cli, struct error *err)
{
	static const struct output_column columns[] = { { "STATUS", "status", COLUMN_TEXT },
							{ "NAME", "name", COLUMN_TEXT },
							{ "CREATED", "created", COLUMN_TEXT },
							{ "NEEDED BY", "neededBy", COLUMN_TEXT },
							{ 0 } };
	cleanup_pruning struct pruning pruning = { .cli = cli, .rows = json_array() };

	if (make_rules(&pruning, err) < 0 || open_repository(&pruning, err) < 0 ||
	    prune_repository_plan(&pruning.repository, &pruning.rules, err) < 0 ||
	    prune_tags(&pruning, err) < 0 || output_list(cli, pruning.rows, columns, err) < 0)
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
	.details = "Deletes the tags that match all of the options, with their signatures, but\n"
		   "never a manifest that a remaining tag needs.",
	.options = options,
	.settings_size = sizeof(struct prune_settings),
	.defaults = &defaults,
	.run = prune_run,
};

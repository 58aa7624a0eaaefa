/* SPDX-License-Identifier: Apache-2.0 */
/* sync: many images from registries, directories or a list of them to a registry or a directory. */
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/output.h"
#include "skopeo-c/age.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/copy_options.h"
#include "skopeo-c/http.h"
#include "skopeo-c/sync_age.h"
#include "skopeo-c/sync_check.h"
#include "skopeo-c/sync_copy.h"
#include "skopeo-c/sync_delete.h"
#include "skopeo-c/sync_doubt.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKS_AT_ONCE = 32 };

struct sync_settings {
	struct copy_options copy;
	const char *source_type, *destination_type, *suffix, *newer_than;
	struct tag_filter_options tags;
	bool scoped, dry_run, keep_going, delete_extraneous;
};

static const struct sync_settings defaults = { .copy = COPY_OPTIONS_DEFAULTS };

/* In the order of enum sync_type. */
#define SOURCE_TYPES "docker|dir|yaml"

#define FIELD(name) offsetof(struct sync_settings, name)

static const struct cli_option options[] = {
	{ "src", 's', SOURCE_TYPES, OPTION_CHOICE, FIELD(source_type), "type of SOURCE" },
	{ "dest", 'd', "docker|dir", OPTION_CHOICE, FIELD(destination_type),
	  "type of DESTINATION" },
	{ "scoped", 0, NULL, OPTION_FLAG, FIELD(scoped),
	  "keep full names, with registry and path" },
	{ "append-suffix", 0, "TEXT", OPTION_STRING, FIELD(suffix), "append TEXT to every tag" },
	{ "dry-run", 0, NULL, OPTION_FLAG, FIELD(dry_run), "only print what would be done" },
	{ "keep-going", 0, NULL, OPTION_FLAG, FIELD(keep_going),
	  "continue with the other images after a failure" },
	TAG_FILTER_OPTIONS(tags),
	{ "newer-than", 0, "AGE", OPTION_STRING, FIELD(newer_than),
	  "only images newer than AGE: 36h, 90d" },
	{ "delete", 0, NULL, OPTION_FLAG, FIELD(delete_extraneous),
	  "delete tags that the source does not have" },
	COPY_OPTIONS,
	{ 0 },
};

/* ---- options ---- */

static int parse_type(const struct cli *cli, const char *option, const char *text,
		      enum sync_type *type, struct error *err)
{
	if (!text)
		return cli_usage(cli, err, "--%s is needed", option);
	*type = (enum sync_type)cli_choose(SOURCE_TYPES, text);
	return 0;
}

/* Names of other verbs begin so. */
static int check_place(const struct cli *cli, const char *place, enum sync_type type,
		       struct error *err)
{
	return type == SYNC_DOCKER && strncmp(place, "docker://", 9) == 0
		       ? cli_usage(cli, err,
				   "\"%s\": --src and --dest say already that it is docker", place)
		       : 0;
}

/* ---- the list ---- */

static int make_list(const struct cli *cli, enum sync_type type, const struct access *access,
		     const struct sync_target *target, struct http *http, struct sync_list *list,
		     struct error *err)
{
	const struct sync_settings *settings = cli->settings;
	const char *source = cli->operands[0];
	cleanup_tag_filter struct tag_filter filter = { 0 };

	if (tag_filter_make(&settings->tags, &filter, err) < 0)
		return -1;
	switch (type) {
	case SYNC_DOCKER:
		return sync_list_add(list, source, &filter, access, target, http, err);
	case SYNC_DIR:
		return sync_list_add_dir(list, source, &filter, target, err);
	case SYNC_YAML:
		break;
	}
	return sync_list_add_yaml(list, source, &filter, access, target, http, err);
}

/* ---- the result ---- */

static json_t *describe(const struct sync_item *item, bool dry_run)
{
	static const char *const names[] = { "skipped", "unchanged", "skipped", "copied",
					     "failed" };
	bool would = dry_run && item->state == SYNC_CHANGED;
	json_t *row =
		json_pack("{s:s, s:s, s:s}", "source", item->source, "destination",
			  item->destination, "status", would ? "would-copy" : names[item->state]);

	if (item->digest[0])
		json_object_set_new(row, "digest", json_string(item->digest));
	if (item->failure)
		json_object_set(row, "error", item->failure);
	return row;
}

/* Those whose tags could not be listed, as rows from number `at` on. */
static void report_repositories(const struct cli *cli, const struct sync_list *list, json_t *rows,
				size_t at, struct sync_failures *failures)
{
	for (size_t i = 0; i < list->repository_count; i++) {
		const struct sync_repository *repository = &list->repositories[i];
		const struct error *failure = repository->failure;

		if (!failure)
			continue;
		cleanup_free char *source = xasprintf("docker://%s", repository->name);
		sync_note_failure(failures, failure->kind, failure->message);
		json_array_insert_new(rows, at++,
				      json_pack("{s:s, s:s, s:s, s:o}", "source", source,
						"destination", repository->destination, "status",
						"failed", "error",
						error_json(failure, cli->tool, cli->verb)));
	}
}

/* Those of all images that are at their destinations now, with the names there. */
static int write_digests(const char *path, const struct sync_list *list, struct error *err)
{
	struct buffer lines = { 0 };

	for (size_t i = 0; path && i < list->count; i++) {
		const struct sync_item *item = &list->items[i];
		bool is_there = item->state == SYNC_UNCHANGED || item->state == SYNC_COPIED;
		cleanup_free char *line = xasprintf("%s %s\n", item->digest, item->destination);

		buffer_add(&lines, is_there ? line : "");
	}
	cleanup_free char *text = buffer_take_text(&lines);
	return copy_write_digests(path, text, err);
}

static int report(const struct cli *cli, const struct sync_list *list, json_t *rows,
		  struct sync_failures *failures, struct error *err)
{
	static const struct output_column columns[] = { { "STATUS", "status", COLUMN_TEXT },
							{ "DESTINATION", "destination",
							  COLUMN_TEXT },
							{ "SOURCE", "source", COLUMN_TEXT },
							{ 0 } };
	const struct sync_settings *settings = cli->settings;

	for (size_t i = 0; i < list->count; i++) {
		const struct sync_item *item = &list->items[i];

		if (item->state == SYNC_FAILED)
			sync_note_failure(failures, item->kind,
					  json_text(item->failure, "message", ""));
		json_array_insert_new(rows, i, describe(item, settings->dry_run));
	}
	report_repositories(cli, list, rows, list->count, failures);
	if (output_list(cli, rows, columns, err) < 0)
		return -1;
	if (failures->count == 0)
		return 0;
	return error_set(err, failures->kind, "%zu of %zu images failed, the first: %s",
			 failures->count, json_array_size(rows), failures->first);
}

/* ---- all ---- */

/* Whether that an image is there already is not enough: it is signed again where that is asked for,
 * more may refer to it, and its copy may be one that was to stay as it is. */
static bool looks_again(const struct sync_settings *settings, const struct copy_request *request)
{
	const struct trust_options *trust = &settings->copy.trust;

	return trust->sign_by || trust->sign_by_sigstore || trust->sign_by_sigstore_key ||
	       request->conversion.format || request->conversion.layers != LAYERS_KEPT ||
	       (settings->copy.with_referrers && !settings->dry_run);
}

static int sync_all(const struct cli *cli, struct sync_list *list, struct copy_request *request,
		    struct http **http, struct error *err)
{
	const struct sync_settings *settings = cli->settings;
	json_auto_t *rows = json_array();
	bool any_failed = false;
	struct sync_failures failures = { 0 };

	if (sync_check(list, request->destination_access, *http, CHECKS_AT_ONCE, err) < 0)
		return -1;
	if (looks_again(settings, request))
		for (size_t i = 0; i < list->count; i++)
			list->items[i].state = SYNC_CHANGED;
	else if (!settings->dry_run)
		sync_doubt(list, request, *http);
	if (!settings->dry_run && sync_copy(list, request, settings->keep_going, err) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		any_failed = any_failed || list->items[i].state == SYNC_FAILED;
	if (settings->delete_extraneous && (!any_failed || settings->keep_going) &&
	    sync_delete(cli, list, request, *http, settings->dry_run, rows, &failures, err) < 0)
		return -1;
	if (!settings->dry_run && write_digests(settings->copy.digestfile, list, err) < 0)
		return -1;
	return report(cli, list, rows, &failures, err);
}

static int sync_run(const struct cli *cli, struct error *err)
{
	struct sync_settings *settings = cli->settings;
	struct sync_target target = { .place = cli->operands[1],
				      .suffix = settings->suffix,
				      .scoped = settings->scoped };
	struct copy_request request = { 0 };
	enum sync_type source = SYNC_DOCKER;
	cleanup_trust struct trust trust = { 0 };
	cleanup_sync_list struct sync_list list = { .keep_going = settings->keep_going };
	cleanup_http struct http *http = NULL;
	int64_t oldest = 0;

	if (parse_type(cli, "src", settings->source_type, &source, err) < 0 ||
	    parse_type(cli, "dest", settings->destination_type, &target.type, err) < 0 ||
	    check_place(cli, cli->operands[0], source, err) < 0 ||
	    check_place(cli, cli->operands[1], target.type, err) < 0 ||
	    copy_options_apply(cli, &settings->copy, source != SYNC_DIR, target.type == SYNC_DOCKER,
			       &request, err) < 0)
		return -1;
	if (settings->delete_extraneous && source == SYNC_DIR)
		return cli_usage(cli, err, "--delete is for repositories of registries");
	if (settings->copy.with_referrers && (source == SYNC_DIR || target.type == SYNC_DIR))
		return cli_usage(cli, err, "--with-referrers is for registries on both sides");
	if (settings->newer_than && age_parse(settings->newer_than, &oldest) < 0)
		return cli_usage(cli, err, "--newer-than is a time such as 36h or 90d");
	if (trust_open(&settings->copy.trust, &trust, err) < 0)
		return -1;
	request.trust = &trust;
	if ((source != SYNC_DIR || target.type == SYNC_DOCKER) && !(http = http_new(err)))
		return -1;
	if (make_list(cli, source, request.source_access, &target, http, &list, err) < 0 ||
	    sync_list_unify(&list, err) < 0 ||
	    (settings->delete_extraneous && sync_delete_check(&list, err) < 0) ||
	    (settings->newer_than && sync_age_reduce(&list, &request, http, oldest, err) < 0))
		return -1;
	return sync_all(cli, &list, &request, &http, err);
}

const struct cli_command sync_command = {
	.name = "sync",
	.operands = "SOURCE DESTINATION",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "synchronize images: copy those that are missing",
	.details =
		"SOURCE is a repository or an image (docker), a directory (dir) or a file with a\n"
		"list of them (yaml). DESTINATION is HOST[/PATH] (docker) or a directory (dir).",
	.options = options,
	.settings_size = sizeof(struct sync_settings),
	.defaults = &defaults,
	.run = sync_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/prune_repository.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "skopeo-c/prune_look.h"
#include "skopeo-c/signature_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int prune_repository_open(struct prune_repository *repository, const char *name,
			  const struct transport_settings *settings, struct error *err)
{
	struct transport_settings reading = *settings;
	cleanup_free char *place = xasprintf("docker://%s", name);

	repository->name = xstrdup(name);
	repository->gone = json_object();
	repository->registries_d = settings->registries_d;
	reading.is_destination = true;
	return registry_open_named(settings->http, &settings->access, name, true, "delete,pull",
				   &repository->registry, err) < 0
		       ? -1
		       : transport_open(&repository->from, place, &reading, err);
}

void prune_repository_close(struct prune_repository *repository)
{
	prune_plan_free(&repository->plan);
	tags_free(&repository->tags);
	transport_close(&repository->from);
	registry_close(&repository->registry);
	json_decref(repository->gone);
	free(repository->name);
}

/* ---- the plan ---- */

/* What is wanted by its digest alone is as if it had a tag of that name. */
static size_t add_digests(const json_t *wanted, struct tag_answer *answers, size_t count)
{
	const char *name;
	json_t *ignored;

	json_object_foreach ((json_t *)wanted, name, ignored) {
		if (!digest_is_valid(name))
			continue;
		answers[count].tag = name;
		snprintf(answers[count].digest, sizeof answers[count].digest, "%s", name);
		count++;
	}
	return count;
}

static int survey(struct prune_repository *repository, const struct prune_rules *rules,
		  struct error *err)
{
	tags_start(&repository->tags, &repository->registry);
	if (tags_wait(&repository->tags, err) < 0)
		return -1;
	size_t count = json_array_size(repository->tags.list);
	cleanup_free struct tag_answer *answers =
		xcalloc(count + json_object_size(rules->wanted) + 1, sizeof *answers);
	if (tag_survey(&repository->registry, repository->tags.list, answers, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!answers[i].is_gone && !answers[i].digest[0])
			return error_set(err, ERROR_INTEGRITY,
					 "%s:%s: the registry does not name its digest",
					 repository->name, answers[i].tag);
	prune_plan_make(&repository->plan, answers, add_digests(rules->wanted, answers, count),
			rules);
	return 0;
}

int prune_repository_plan(struct prune_repository *repository, const struct prune_rules *rules,
			  struct error *err)
{
	struct transport *from = &repository->from;
	struct prune_plan *plan = &repository->plan;

	if (survey(repository, rules, err) < 0 ||
	    (prune_rules_ask_age(rules) && prune_look_ages(from, plan, err) < 0))
		return -1;
	prune_plan_judge(plan, rules);
	if (prune_look_needs(from, plan, err) < 0)
		return -1;
	prune_plan_protect(plan);
	return 0;
}

/* ---- the deletion ---- */

/* 1: it is deleted. 0: the registry does not delete such a thing, see `call`. */
static int try_delete(struct prune_repository *repository, const char *wanted,
		      struct registry_call *call, struct error *err)
{
	tag_survey_call(call, &repository->registry, "DELETE", wanted);
	if (registry_call_run(call, err) < 0)
		return -1;
	return call->request.status / 100 == 2;
}

/* It took a time to look at all of them: a tag that stands for something else by now is not the one
 * that was judged. */
static int check_unmoved(struct prune_repository *repository, const struct prune_tag *tag,
			 const char *digest, struct error *err)
{
	cleanup_registry_call struct registry_call call = { 0 };

	tag_survey_call(&call, &repository->registry, "HEAD", tag->name);
	if (registry_call_run(&call, err) < 0)
		return -1;
	const char *now = http_header(&call.request, "docker-content-digest", 0);
	if (call.request.status != 200 || (now && strcmp(now, digest) == 0))
		return 0;
	return error_set(err, ERROR_TEMPORARY, "%s:%s was moved while the others were looked at",
			 repository->name, tag->name);
}

enum prune_outcome prune_repository_delete(struct prune_repository *repository,
					   const struct prune_tag *tag, struct error *err)
{
	const char *digest = prune_plan_image(&repository->plan, tag)->digest;
	bool is_needed = prune_plan_protects(&repository->plan, digest);
	cleanup_registry_call struct registry_call by_tag = { 0 }, by_digest = { 0 };

	if (json_object_get(repository->gone, digest))
		return PRUNE_DELETED;
	if (!repository->has_no_tag_deletes) {
		if (check_unmoved(repository, tag, digest, err) < 0)
			return PRUNE_FAILED;
		int deleted = try_delete(repository, tag->name, &by_tag, err);

		if (deleted < 0)
			return PRUNE_FAILED;
		if (deleted > 0)
			return is_needed ? PRUNE_UNTAGGED : PRUNE_DELETED;
		repository->has_no_tag_deletes = by_tag.request.status != 404;
	}
	if (is_needed)
		return PRUNE_KEPT;
	int deleted = try_delete(repository, digest, &by_digest, err);
	if (deleted < 0)
		return PRUNE_FAILED;
	if (deleted == 0 && by_digest.request.status != 404) {
		registry_refused(&by_digest, tag->name, err);
		return PRUNE_FAILED;
	}
	json_object_set_new(repository->gone, digest, json_true());
	cleanup_free char *name = xasprintf("%s:%s", repository->name, tag->name);
	signature_registry_forget(&repository->registry, repository->registries_d, name, digest);
	return PRUNE_DELETED;
}

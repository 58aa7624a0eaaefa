/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/prune_plan.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "skopeo-c/referrers_tag.h"

#include <stdlib.h>
#include <string.h>

/* ---- tags and images ---- */

static bool is_companion(const char *tag)
{
	cleanup_free char *subject = referrers_tag_subject(tag);

	return subject != NULL;
}

static size_t image_number(struct prune_plan *plan, const struct tag_answer *answer)
{
	cleanup_free char *key = referrers_tag(answer->digest, "");
	const json_t *number = json_object_get(plan->numbers, key);

	if (number)
		return (size_t)json_integer_value(number);
	struct prune_image *image = &plan->images[plan->image_count];
	memcpy(image->digest, answer->digest, sizeof image->digest);
	image->may_be_index = !answer->is_image;
	image->made = -1;
	json_object_set_new(plan->numbers, key, json_integer((json_int_t)plan->image_count));
	return plan->image_count++;
}

void prune_plan_make(struct prune_plan *plan, const struct tag_answer *answers, size_t count,
		     const struct prune_rules *rules)
{
	*plan = (struct prune_plan){
		.images = xcalloc(count + 1, sizeof *plan->images),
		.tags = xcalloc(count + 1, sizeof *plan->tags),
		.numbers = json_object(),
		.protected = json_object(),
	};
	for (size_t i = 0; i < count; i++) {
		if (answers[i].is_gone)
			continue;
		struct prune_tag *tag = &plan->tags[plan->count++];
		bool is_wanted = json_object_get(rules->wanted, answers[i].tag);
		tag->name = answers[i].tag;
		tag->image = image_number(plan, &answers[i]);
		tag->is_companion = !is_wanted && is_companion(tag->name);
		tag->is_candidate = !is_wanted && !tag->is_companion &&
				    tag_filter_wants(rules->filter, tag->name);
		if (tag->is_candidate)
			plan->images[tag->image].is_candidate = true;
	}
}

void prune_plan_free(struct prune_plan *plan)
{
	for (size_t i = 0; i < plan->image_count; i++)
		json_decref(plan->images[i].needs);
	free(plan->images);
	free(plan->tags);
	json_decref(plan->numbers);
	json_decref(plan->protected);
	*plan = (struct prune_plan){ 0 };
}

/* ---- what goes ---- */

bool prune_rules_ask_age(const struct prune_rules *rules)
{
	return rules->oldest >= 0 || rules->keep >= 0;
}

static int newest_first(const void *one, const void *other)
{
	const struct prune_image *const *a = one, *const *b = other;

	if ((*a)->made != (*b)->made)
		return (*a)->made > (*b)->made ? -1 : 1;
	/* in the order of the registry: the same ones stay every time */
	return *a < *b ? -1 : *a > *b;
}

void prune_plan_judge(struct prune_plan *plan, const struct prune_rules *rules)
{
	const struct prune_image **order = xcalloc(plan->image_count + 1, sizeof(void *));
	bool *stays = xcalloc(plan->image_count + 1, sizeof *stays);
	size_t count = 0;

	for (size_t i = 0; i < plan->image_count && prune_rules_ask_age(rules); i++) {
		const struct prune_image *image = &plan->images[i];

		stays[i] = image->made < 0 || (rules->oldest >= 0 && image->made >= rules->oldest);
		if (image->is_candidate && image->made >= 0)
			order[count++] = image;
	}
	qsort(order, count, sizeof(void *), newest_first);
	for (size_t i = 0; i < count && (long long)i < rules->keep; i++)
		stays[order[i] - plan->images] = true;
	for (size_t i = 0; i < plan->count; i++) {
		struct prune_tag *tag = &plan->tags[i];

		tag->is_doomed = tag->is_candidate && !stays[tag->image];
		if (!tag->is_doomed)
			plan->images[tag->image].is_kept = true;
	}
	free(order);
	free(stays);
}

/* ---- what stays ---- */

static void protect_digest(struct prune_plan *plan, const char *digest, const char *tag)
{
	cleanup_free char *key = referrers_tag(digest, "");
	json_t *tags = json_object_get(plan->protected, key);

	if (!tags) {
		tags = json_array();
		json_object_set_new(plan->protected, key, tags);
	}
	json_array_append_new(tags, json_string(tag));
}

static void protect(struct prune_plan *plan, const struct prune_tag *tag)
{
	const struct prune_image *image = &plan->images[tag->image];
	const json_t *digest;
	size_t i;

	protect_digest(plan, image->digest, tag->name);
	json_array_foreach (image->needs, i, digest) {
		protect_digest(plan, json_string_value(digest), tag->name);
	}
}

/* An image that is tagged here, of which nothing stays. */
static bool goes(const struct prune_plan *plan, const char *companion)
{
	cleanup_free char *subject = referrers_tag_subject(companion);

	return subject && json_object_get(plan->numbers, subject) &&
	       !json_object_get(plan->protected, subject);
}

/* Let the companions stay of what does. True where there was one: it may have companions, too, as
 * the signature of an SBOM is that of a companion. */
static bool keep_companions(struct prune_plan *plan)
{
	bool any = false;

	for (size_t i = 0; i < plan->count; i++) {
		struct prune_tag *tag = &plan->tags[i];

		if (!tag->is_companion || !tag->is_doomed || goes(plan, tag->name))
			continue;
		tag->is_doomed = false;
		protect(plan, tag);
		any = true;
	}
	return any;
}

void prune_plan_protect(struct prune_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct prune_tag *tag = &plan->tags[i];

		if (tag->is_companion)
			tag->is_doomed = true;
		else if (!tag->is_doomed)
			protect(plan, tag);
	}
	while (keep_companions(plan))
		;
}

const struct prune_tag **prune_plan_doomed(const struct prune_plan *plan)
{
	const struct prune_tag **doomed = xcalloc(plan->count + 1, sizeof(void *));
	size_t count = 0;

	for (int companions = 1; companions >= 0; companions--)
		for (size_t i = 0; i < plan->count; i++)
			if (plan->tags[i].is_doomed &&
			    plan->tags[i].is_companion == (companions == 1))
				doomed[count++] = &plan->tags[i];
	return doomed;
}

const struct prune_image *prune_plan_image(const struct prune_plan *plan,
					   const struct prune_tag *tag)
{
	return &plan->images[tag->image];
}

const json_t *prune_plan_protects(const struct prune_plan *plan, const char *digest)
{
	cleanup_free char *key = referrers_tag(digest, "");

	return json_object_get(plan->protected, key);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/prune_plan.h"
#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>

#define HEX(c)	c c c c c c c c c c c c c c c c
#define HEX4(c) HEX(c) HEX(c) HEX(c) HEX(c)

static void put(struct tag_answer *answer, const char *tag, char digit)
{
	*answer = (struct tag_answer){ .tag = tag, .is_image = true, .digest = "sha256:" };
	memset(answer->digest + strlen("sha256:"), digit, 64);
}

/* "tag tag": those that are doomed. */
static const char *doomed(const struct prune_plan *plan)
{
	static char text[1024];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->count; i++)
		if (plan->tags[i].is_doomed)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
						   length ? " " : "", plan->tags[i].name);
	return text;
}

int main(void)
{
	struct tag_filter filter = { 0 };
	struct error err;
	struct tag_answer answers[8];
	struct prune_plan plan;
	struct prune_rules rules = { .filter = &filter, .oldest = -1, .keep = 1 };

	put(&answers[0], "a", 'a');
	put(&answers[1], "b", 'b');
	put(&answers[2], "x", 'b');
	put(&answers[3], "c", 'c');
	put(&answers[4], "sha256-" HEX4("a") ".sig", '1');
	put(&answers[5], "sha256-" HEX4("b"), '2');
	put(&answers[6], "sha256-" HEX4("d") ".sig", '3');
	put(&answers[7], "gone", 'e');
	answers[7].is_gone = true;
	ok(tag_filter_add(&filter, "x", true, &err) == 0, "a filter");

	prune_plan_make(&plan, answers, 8, &rules);
	ok(plan.count == 7 && plan.image_count == 6, "tags, and their images once each");
	plan.images[0].made = 10;
	plan.images[1].made = 20;
	plan.images[2].made = 30;
	prune_plan_judge(&plan, &rules);
	is(doomed(&plan), "a b", "the newest stays");
	prune_plan_protect(&plan);
	is(doomed(&plan), "a b sha256-" HEX4("a") ".sig", "a signature goes with its image");
	ok(prune_plan_protects(&plan, plan.images[1].digest) &&
		   !prune_plan_protects(&plan, plan.images[0].digest),
	   "a manifest is protected by the tag that stays");
	prune_plan_free(&plan);

	prune_plan_make(&plan, answers, 8, &rules);
	plan.images[2].made = 30;
	prune_plan_judge(&plan, &rules);
	is(doomed(&plan), "", "what has no age stays");
	prune_plan_free(&plan);

	rules = (struct prune_rules){ .filter = &filter, .oldest = 20, .keep = -1 };
	prune_plan_make(&plan, answers, 8, &rules);
	plan.images[0].made = 19;
	plan.images[1].made = 20;
	plan.images[2].made = 21;
	prune_plan_judge(&plan, &rules);
	is(doomed(&plan), "a", "by age");
	plan.images[2].needs = json_pack("[s]", answers[0].digest);
	prune_plan_protect(&plan);
	ok(json_array_size(prune_plan_protects(&plan, answers[0].digest)) == 1,
	   "what a kept index names is protected");
	is(doomed(&plan), "a", "and its signature stays");
	prune_plan_free(&plan);

	/* the companion of a companion is listed before it */
	put(&answers[4], "sha256-" HEX4("1") ".sig", '2');
	put(&answers[5], "sha256-" HEX4("a") ".sbom", '1');
	rules.oldest = 0;
	prune_plan_make(&plan, answers, 7, &rules);
	plan.images[0].made = 10;
	prune_plan_judge(&plan, &rules);
	prune_plan_protect(&plan);
	is(doomed(&plan), "", "what signs the SBOM of an image that stays, stays");
	prune_plan_free(&plan);
	rules.oldest = 20;
	prune_plan_make(&plan, answers, 7, &rules);
	plan.images[0].made = 10;
	prune_plan_judge(&plan, &rules);
	prune_plan_protect(&plan);
	is(doomed(&plan), "a sha256-" HEX4("1") ".sig sha256-" HEX4("a") ".sbom",
	   "and goes with the SBOM");
	prune_plan_free(&plan);
	memcpy(answers[3].digest, "sha512:", strlen("sha512:"));
	memset(answers[3].digest + strlen("sha512:"), 'f', 128);
	put(&answers[4], "sha512-" HEX4("f") ".sig", '1');
	put(&answers[5], "sha512-" HEX4("e") ".sig", '1');
	prune_plan_make(&plan, answers, 6, &rules);
	plan.images[2].made = 10;
	prune_plan_judge(&plan, &rules);
	prune_plan_protect(&plan);
	is(doomed(&plan), "c sha512-" HEX4("f") ".sig", "of a longer digest tags have 64 digits");
	prune_plan_free(&plan);
	put(&answers[3], "c", 'c');
	put(&answers[4], "sha256-" HEX4("a") ".sig", '1');
	put(&answers[5], "sha256-" HEX4("b"), '2');

	json_auto_t *wanted = json_pack("{s:b, s:b}", "a", 1, "sha256-" HEX4("b"), 1);
	rules = (struct prune_rules){
		.filter = &filter, .wanted = wanted, .oldest = -1, .keep = -1
	};
	prune_plan_make(&plan, answers, 8, &rules);
	prune_plan_judge(&plan, &rules);
	prune_plan_protect(&plan);
	is(doomed(&plan), "b c", "what is wanted stays, also what refers to something that goes");
	prune_plan_free(&plan);
	tag_filter_free(&filter);
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/tag_survey.h"

#include "lib/memory.h"
#include "skopeo-c/manifest.h"

#include <stdio.h>
#include <string.h>

enum { PARALLEL = 6 };

struct probe {
	struct registry_call call;
	struct tag_answer *answer; /* NULL: idle */
};

struct survey {
	struct registry *registry;
	const json_t *tags;
	struct tag_answer *answers;
	size_t next, done;
	struct probe probes[PARALLEL];
};

void tag_survey_call(struct registry_call *call, struct registry *registry, const char *method,
		     const char *wanted)
{
	registry_call_init(call, registry, method,
			   xasprintf("/v2/%s/manifests/%s", registry->repository, wanted));
	strings_add(&call->request.headers, "Accept: " MANIFEST_ACCEPT);
}

static int take(struct tag_answer *answer, const struct registry_call *call, struct error *err)
{
	const struct http_request *request = &call->request;

	answer->is_gone = request->status == 404;
	if (answer->is_gone)
		return 0;
	if (request->status != 200)
		return registry_refused(call, answer->tag, err);
	const char *digest = http_header(request, "docker-content-digest", 0);
	const char *type = http_header(request, "content-type", 0);
	if (digest && digest_is_valid(digest))
		snprintf(answer->digest, sizeof answer->digest, "%s", digest);
	answer->is_image =
		type && (strcmp(type, MANIFEST_OCI) == 0 || strcmp(type, MANIFEST_DOCKER) == 0);
	return 0;
}

static int step(struct survey *survey, struct probe *probe, struct error *err)
{
	if (!probe->answer) {
		const char *tag = json_string_value(json_array_get(survey->tags, survey->next));

		if (!tag)
			return 0;
		probe->answer = &survey->answers[survey->next++];
		*probe->answer = (struct tag_answer){ .tag = tag };
		tag_survey_call(&probe->call, survey->registry, "HEAD", tag);
		registry_call_start(&probe->call);
	}
	int status = registry_call_poll(&probe->call, err);
	if (status <= 0)
		return status;
	if (take(probe->answer, &probe->call, err) < 0)
		return -1;
	registry_call_free(&probe->call);
	probe->answer = NULL;
	survey->done++;
	return 0;
}

static int run(struct survey *survey, struct error *err)
{
	size_t count = json_array_size(survey->tags);

	for (;;) {
		for (size_t i = 0; i < PARALLEL; i++)
			if (step(survey, &survey->probes[i], err) < 0)
				return -1;
		if (survey->done == count)
			return 0;
		if (http_pump(survey->registry->http, HTTP_POLL_MS, err) < 0)
			return -1;
	}
}

int tag_survey(struct registry *registry, const json_t *tags, struct tag_answer *answers,
	       struct error *err)
{
	struct survey survey = { .registry = registry, .tags = tags, .answers = answers };
	int status = run(&survey, err);

	for (size_t i = 0; i < PARALLEL; i++)
		registry_call_free(&survey.probes[i].call);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/registry_missing.h"

#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/registry.h"

/* Registries name the error (distribution-spec, "Error Codes"), and Docker's names itself: of an
 * answer to HEAD there is nothing else. */
static bool is_of_registry(const struct http_request *request)
{
	struct error ignored;
	json_auto_t *body = request->answer ? json_parse(request->answer, request->answer_length,
							 "answer", &ignored)
					    : NULL;
	const json_t *first = json_array_get(json_object_get(body, "errors"), 0);

	return json_text(first, "code", "")[0] ||
	       http_header(request, "docker-distribution-api-version", 0);
}

int registry_missing(const struct registry_call *call, struct error *err)
{
	struct registry *registry = call->registry;
	cleanup_registry_call struct registry_call question = { 0 };
	struct error ignored; /* who wants to know us, or is busy, is there */

	if (is_of_registry(&call->request))
		return 0;
	registry_call_init(&question, registry, "GET", xstrdup("/v2/"));
	if (registry_call_run(&question, &ignored) < 0 || question.request.status != 404 ||
	    is_of_registry(&question.request))
		return 0;
	error_set(err, ERROR_FAILED, "%s is no registry: it answers 404 to /v2/, too",
		  registry->name);
	return error_hint(err, "is the name of the host right?");
}

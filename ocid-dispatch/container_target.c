/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/container_target.h"

#include "lib/json.h"
#include "lib/memory.h"
#include "ocid-dispatch/containers.h"

#include <string.h>

int container_target(const struct records *records, const json_t *config, const char *pod,
		     char **path, struct error *err)
{
	const json_t *options =
		json_path(config, "linux", "securityContext", "namespaceOptions", NULL);
	cleanup_named struct named target = { 0 };
	cleanup_facts struct facts facts = { 0 };

	*path = NULL;
	if (strcmp(json_text(options, "pid", ""), "TARGET") != 0)
		return 0;
	if (container_find(records, json_text(options, "targetId", ""), &target, err) < 0)
		return error_prefix(err, "the target");
	container_facts(records, &target, &facts);
	if (strcmp(target.pod, pod) != 0 || facts.state != CONTAINER_RUNNING)
		return error_set(err, ERROR_USAGE,
				 "the target %s does not run in the container's pod", target.id);
	*path = xasprintf("/proc/%d/ns/pid",
			  (int)json_integer_value(json_object_get(facts.shim, "pid")));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/trace.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/leaves.h"
#include "oci-gen/pointer.h"

#include <stdlib.h>

static json_t *copy_of(const json_t *value)
{
	return value ? json_deep_copy(value) : NULL;
}

/* Of one that may not be whole yet: without a command it gets a word for one, and devices, which
 * come last, are left to the end. */
static void start_copy(struct generation *copy, const struct generation *g)
{
	*copy = *g;
	copy->config = copy_of(g->config);
	copy->environment = copy_of(g->environment);
	copy->entrypoint = copy_of(g->entrypoint);
	copy->command = copy_of(g->command);
	copy->mounts = copy_of(g->mounts);
	copy->seccomp_edits = copy_of(g->seccomp_edits);
	copy->seccomp_lists = (struct strings){ 0 };
	copy->volumes = copy_of(g->volumes);
	copy->cdi_devices = json_array();
	copy->cdi_directories = NULL;
	copy->faults = json_incref(g->faults);
	copy->cri = g->cri ? json_incref(g->cri) : NULL;
	copy->user = g->user ? xstrdup(g->user) : NULL;
	if (json_array_size(copy->entrypoint) + json_array_size(copy->command) == 0)
		json_array_append_new(copy->command, json_string(""));
	if (g->trace->root)
		pointer_set(copy->config, "/root/path", json_string(g->trace->root));
}

/* What would come of it if nothing else were applied. The caller owns it. */
static json_t *finished(const struct generation *g)
{
	cleanup_generation struct generation copy;
	struct error unused;
	json_t *root = pointer_get(g->config, "/root/path");

	start_copy(&copy, g);
	if (generation_finish(&copy, &unused) < 0) {
		/* a user that can be looked up only when there is the root of a later source */
		generation_free(&copy);
		start_copy(&copy, g);
		free(steal_ptr(&copy.user));
		if (generation_finish(&copy, &unused) < 0)
			return json_deep_copy(g->config);
	}
	if (root)
		pointer_set(copy.config, "/root/path", json_incref(root));
	else
		pointer_remove(copy.config, "/root/path");
	return json_incref(copy.config);
}

void trace_config(struct trace *trace, const json_t *config, const char *origin)
{
	json_t *leaves = leaves_of(config, false), *leaf;
	const char *path;

	json_object_foreach (leaves, path, leaf) {
		const json_t *before = json_object_get(trace->leaves, path);
		bool same = before && json_equal(json_object_get(before, "value"),
						 json_object_get(leaf, "value"));

		json_object_set_new(
			leaf, "origin",
			json_string(same ? json_text(before, "origin", origin) : origin));
	}
	json_decref(trace->leaves);
	trace->leaves = leaves;
}

void trace_stage(const struct generation *g, const char *origin)
{
	if (!g->trace)
		return;
	json_auto_t *config = g->finished ? json_incref(g->config) : finished(g);
	trace_config(g->trace, config, origin);
}

void trace_finish(struct generation *g, const char *origin)
{
	g->finished = true;
	trace_stage(g, origin);
}

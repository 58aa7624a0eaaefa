/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules have in common. */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <limits.h>
#include <string.h>

void rules_run(const struct rule_check *rows, size_t count, const json_t *config,
	       struct findings *findings)
{
	for (size_t i = 0; i < count; i++)
		rows[i].check(config, &rows[i].rule, findings);
}

json_t *rules_enter(json_t *tree, const char *path)
{
	if (strlen(path) >= PATH_MAX)
		return NULL; /* its tree would be too deep to free */
	while (*(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");
		cleanup_free char *component = xstrndup(path, length);
		json_t *next = json_object_get(tree, component);

		if (!next) {
			next = json_object();
			json_object_set_new(tree, component, next);
		}
		tree = next;
		path += length;
	}
	return tree;
}

bool rules_has_namespace(const json_t *config, const char *type, const char **path)
{
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(config, "/linux/namespaces"), i, namespace) {
		if (strcmp(json_text(namespace, "type", ""), type) != 0)
			continue;
		if (path)
			*path = json_text(namespace, "path", NULL);
		return true;
	}
	return false;
}

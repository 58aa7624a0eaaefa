/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules have in common. */
#include "lib/json.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <string.h>

void rules_run(const struct rule_check *rows, size_t count, const json_t *config,
	       struct findings *findings)
{
	for (size_t i = 0; i < count; i++)
		rows[i].check(config, &rows[i].rule, findings);
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

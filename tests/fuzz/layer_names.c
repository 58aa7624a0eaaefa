/* SPDX-License-Identifier: Apache-2.0 */
/* Names of entries: whatever is accepted stays beneath the layer's root. */
#include "ctr-store/worker/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");

		if (length == 0 || length > NAME_LEAF_MAX || (length == 1 && at[0] == '.') ||
		    (length == 2 && at[0] == '.' && at[1] == '.'))
			abort();
		at += length;
		if (*at && !*++at)
			abort();
	}
}

static void check(int status, const struct name *name)
{
	if (status < 0)
		return;
	if (strlen(name->parent) + 1 + strlen(name->leaf) > NAME_PATH_MAX ||
	    strchr(name->leaf, '/'))
		abort();
	check_path(name->parent);
	check_path(name->leaf);
	if ((name->kind == NAME_ROOT) != (name->leaf[0] == '\0'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct name name;
	struct error err;

	check(name_parse(text, &name, &err), &name);
	check(name_parse_target(text, &name, &err), &name);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/backend.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int backend_choose(const struct store *store, const char *name, bool *copy, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/store.json", store->root);
	json_auto_t *settings = NULL;

	if (!name) {
		settings = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
		if (!settings && err->os != ENOENT)
			return -1;
		name = json_text(settings, "backend", "overlay");
	}
	*copy = strcmp(name, "copy") == 0;
	if (*copy || strcmp(name, "overlay") == 0)
		return 0;
	return error_set(err, ERROR_USAGE, "%s%sthere is no backend \"%s\" (overlay, copy)",
			 settings ? path : "", settings ? ": " : "", name);
}

bool backend_is_copy(const json_t *container)
{
	return strcmp(json_text(container, "backend", ""), "copy") == 0;
}

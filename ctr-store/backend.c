/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/backend.h"

#include "ctr-store/erofs_probe.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char *const names[] = {
	[BACKEND_OVERLAY] = "overlay",
	[BACKEND_COPY] = "copy",
	[BACKEND_EROFS] = "erofs",
};

int backend_choose(const struct store *store, const char *name, enum backend *backend,
		   struct error *err)
{
	cleanup_free char *path = xasprintf("%s/store.json", store->root);
	json_auto_t *settings = NULL;

	if (!name) {
		settings = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
		if (!settings && err->os != ENOENT)
			return -1;
		const json_t *setting = json_object_get(settings, "backend");
		if (setting && !json_is_string(setting))
			return error_set(err, ERROR_USAGE, "%s: backend is not a text", path);
		name = json_string_value(setting);
	}
	if (!name) {
		*backend = BACKEND_BEST;
		return 0;
	}
	for (size_t i = BACKEND_OVERLAY; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0) {
			*backend = (enum backend)i;
			return 0;
		}
	return error_set(err, ERROR_USAGE, "%s%sthere is no backend \"%s\" (overlay, copy, erofs)",
			 settings ? path : "", settings ? ": " : "", name);
}

int backend_settle(const struct store *store, const struct staging *staging, enum backend *backend,
		   struct error *err)
{
	int images = 0;

	if (*backend == BACKEND_OVERLAY || *backend == BACKEND_EROFS)
		return 0;
	/* directories are better to copy from */
	if (*backend == BACKEND_BEST)
		images = erofs_is_best(store, staging, err);
	if (images == 0)
		images = erofs_is_needed(store, staging, err);
	if (images < 0)
		return -1;
	*backend = images ? BACKEND_EROFS : BACKEND_OVERLAY;
	return 0;
}

bool backend_is_copy(const json_t *container)
{
	return strcmp(json_text(container, "backend", ""), "copy") == 0;
}

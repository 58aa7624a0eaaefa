/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/directory.h"

#include "ocid-shim/container.h"

#include "lib/path.h"
#include "lib/store.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int directory_each(const struct store *store,
		   void (*visit)(const struct container *container, void *context), void *context,
		   struct error *err)
{
	struct dirent **entries;
	int count = scandirat(store->run_containers_fd, ".", &entries, NULL, by_name);

	if (count < 0)
		return error_os(err, "%s/containers", store->runroot);
	for (int i = 0; i < count; i++) {
		cleanup_container struct container container = { .dir_fd = -1 };
		struct error ignored;

		/* it may be gone by now */
		if (path_is_id(entries[i]->d_name) &&
		    container_open(store, entries[i]->d_name, &container, &ignored) == 0)
			visit(&container, context);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

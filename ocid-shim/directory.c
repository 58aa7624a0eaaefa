/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/directory.h"

#include "lib/directory.h"
#include "lib/path.h"
#include "lib/store.h"
#include "ocid-shim/container.h"

int directory_each(const struct store *store,
		   void (*visit)(const struct container *container, void *context), void *context,
		   struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(store->run_containers_fd, ".", &names) < 0)
		return error_os(err, "%s/containers", store->runroot);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_container struct container container = { .dir_fd = -1 };
		struct error ignored;

		/* it may be gone by now */
		if (path_is_id(names.items[i]) &&
		    container_open(store, names.items[i], &container, &ignored) == 0)
			visit(&container, context);
	}
	return 0;
}

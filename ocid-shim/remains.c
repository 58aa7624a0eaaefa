/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/remains.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"
#include "ocid-shim/cgroups.h"
#include "ocid-shim/runtime.h"

#include <fcntl.h>
#include <unistd.h>

/* Whether the runtime keeps something of that id. */
static bool runtime_knows(const struct store *store, const char *id)
{
	cleanup_free char *state = xasprintf("%s/runtime/%s", store->runroot, id);

	return access(state, F_OK) == 0;
}

bool remains_exist(const struct store *store, const char *id)
{
	return faccessat(store->run_containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       runtime_knows(store, id);
}

int remains_clear(const struct store *store, const char *id, const json_t *facts, int busy_fd,
		  struct error *err)
{
	if (runtime_knows(store, id) && runtime_delete(store, id, facts, busy_fd, err) < 0 &&
	    (runtime_is_there(facts) || runtime_forget(store, id, facts, err) < 0))
		return error_prefix(err, "container %s: remains of an earlier attempt", id);
	/* a runtime that is killed has made them before it knows anything */
	cgroups_remove(json_object_get(facts, "cgroups"));
	return path_remove_tree(store->run_containers_fd, id, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/volatile.h"

#include "ctr-store/container_facts.h"
#include "lib/boot.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int volatile_mark(json_t *container, struct error *err)
{
	cleanup_free char *boot = boot_id(err);

	return boot ? json_object_set_new(container, "volatile", json_string(boot)) : -1;
}

int volatile_check(const json_t *container, struct error *err)
{
	const char *made_in = json_text(container, "volatile", NULL);
	cleanup_free char *boot = made_in ? boot_id(err) : NULL;

	if (!made_in)
		return 0;
	if (!boot)
		return -1;
	if (strcmp(boot, made_in) == 0)
		return 0;
	error_set(err, ERROR_INTEGRITY,
		  "container %s is volatile, and the machine has been down since it was made",
		  container_label(container));
	return error_hint(err, "ctr-store rm %s", json_text(container, "id", ""));
}

int volatile_prepare(const struct store *store, const json_t *container, struct error *err)
{
	if (!json_object_get(container, "volatile"))
		return 0;
	if (volatile_check(container, err) < 0)
		return -1;
	cleanup_free char *path = xasprintf("%s/work/work", json_text(container, "id", ""));
	cleanup_fd int fd =
		openat(store->containers_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", path);
	return path_remove_tree(fd, "incompat", err);
}

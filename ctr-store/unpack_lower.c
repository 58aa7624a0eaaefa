/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/unpack_lower.h"

#include "ctr-store/erofs.h"
#include "ctr-store/layer.h"
#include "ctr-store/overlay.h"
#include "lib/cleanup.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

/* The one that many layers beneath the one at `at`. */
static struct unpack_job *beneath(struct unpack_job *const *at, size_t layers)
{
	return at[-(ptrdiff_t)layers];
}

bool unpack_lower_is_done(struct unpack_job *const *at)
{
	for (size_t i = 1; i <= (*at)->position; i++)
		if (beneath(at, i)->state != JOB_DONE)
			return false;
	return true;
}

static char *tree_path(const struct unpack_site *site, const struct unpack_job *job)
{
	const struct store *store = site->store;

	if (job->directory[0])
		return xasprintf("%s/tmp/%s/%s/diff", store->root, site->staging.name,
				 job->directory);
	cleanup_free char *tree = layer_tree(job->id);
	/* by the descriptor: an unpacker may write to other layers than the store's own */
	return tree[0] == '/' ? steal_ptr(&tree)
			      : xasprintf("/proc/self/fd/%d/%s", store->layers_fd, tree);
}

/* By what name the overlay finds it; one that cannot be mounted goes by its path, and the overlay
 * says why. */
static char *tree_name(const struct unpack_site *site, struct unpack_job *job)
{
	cleanup_free char *path = job->tree_fd < 0 ? tree_path(site, job) : NULL;
	struct error ignored;

	if (path && !site->mounts_apart && erofs_is_image(AT_FDCWD, path))
		job->tree_fd = erofs_mount(AT_FDCWD, path, &ignored);
	return job->tree_fd < 0 ? steal_ptr(&path) : xasprintf("/proc/self/fd/%d", job->tree_fd);
}

static bool is_higher_up_too(struct unpack_job *const *at, size_t layers)
{
	for (size_t above = layers - 1; above > 0; above--)
		if (strcmp(beneath(at, above)->id, beneath(at, layers)->id) == 0)
			return true;
	return false;
}

static int open_overlay(const struct unpack_site *site, struct unpack_job *const *at,
			struct error *err)
{
	cleanup_strings struct strings trees = { 0 };

	for (size_t i = (*at)->position; i > 0; i--) {
		/* overlayfs refuses a directory that it has */
		if (is_higher_up_too(at, i))
			continue;
		cleanup_free char *name = tree_name(site, beneath(at, i));
		strings_add(&trees, name);
	}

	const struct overlay overlay = { .layers = &trees,
					 .source = "ocid:unpack",
					 .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	cleanup_fd int gate = staging_gate(site->store, LOCK_SHARED, err);
	return gate < 0 ? -1 : overlay_open(site->store, &overlay, err);
}

int unpack_lower_open(struct unpack_site *site, struct unpack_job *const *at, struct error *err)
{
	struct unpack_job *const *lowest = at - (*at)->position;
	int fd = open_overlay(site, at, err);

	if (fd >= 0 || !unpack_lower_forget(lowest, (*at)->position))
		return fd;
	/* before Linux 6.15 overlayfs takes no mounts that are attached nowhere; or they are more
	 * than this process may have open */
	log_message(LOG_LEVEL_DEBUG, "%s: each layer mounts those beneath it", err->message);
	site->mounts_apart = true;
	return open_overlay(site, at, err);
}

bool unpack_lower_forget(struct unpack_job *const *jobs, size_t count)
{
	bool had_any = false;

	for (size_t i = 0; i < count; i++) {
		had_any |= jobs[i]->tree_fd >= 0;
		cleanup_fd_p(&jobs[i]->tree_fd);
	}
	return had_any;
}

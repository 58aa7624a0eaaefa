/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/usage.h"

#include "ctr-store/tree_walk.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 512 }; /* the unit of st_blocks, stat(2) */

struct count {
	struct usage *usage;
	dev_t device;	/* of the top: what is mounted in the tree does not count */
	json_t *linked; /* a set of the inodes that have several names */
};

static int count_entry(const struct tree_entry *entry, void *context, struct error *err)
{
	struct count *count = context;

	(void)err;
	if (!entry->path[0])
		count->device = entry->st->st_dev;
	if (entry->st->st_dev != count->device)
		return 0;
	if (!S_ISDIR(entry->st->st_mode) && entry->st->st_nlink > 1) {
		char key[24];

		snprintf(key, sizeof key, "%llx", (unsigned long long)entry->st->st_ino);
		if (json_object_get(count->linked, key))
			return 0;
		json_object_set_new(count->linked, key, json_true());
	}
	count->usage->bytes += (long long)entry->st->st_blocks * BLOCK;
	count->usage->inodes++;
	return 0;
}

int usage_add_tree(int dir_fd, const char *path, struct usage *usage, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	json_auto_t *linked = json_object();
	struct count count = { .usage = usage, .linked = linked };

	if (fd < 0 && errno == EACCES) {
		usage->unreadable++;
		return 0;
	}
	if (fd < 0)
		/* where no tree is, that is check's to say */
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_os(err, "%s", path);
	if (tree_walk_readable(fd, count_entry, &count, &usage->unreadable, err) == 0)
		return 0;
	/* a container that moves its directories about must not keep others from being counted */
	return err->kind == ERROR_TEMPORARY && !cli_interrupted() ? 0
								  : error_prefix(err, "%s", path);
}

/* Keep it. No sync: what a crash spoils is counted again. Nor is it an error that it cannot be
 * written, as in a read-only store. */
static void remember(const struct store *store, const char *id, const struct usage *usage)
{
	struct error ignored;
	char unique[RANDOM_NAME_SIZE];
	/* nobody removes the layer meanwhile, so nothing of it comes to be again */
	cleanup_fd int gate = staging_gate(store, LOCK_SHARED, &ignored);
	cleanup_fd int dir_fd = gate < 0 ? -1
					 : openat(store->layers_fd, id,
						  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return;

	random_name(unique);
	cleanup_free char *name = xasprintf(".%s", unique);
	cleanup_free char *text =
		xasprintf("{\"bytes\":%lld,\"inodes\":%lld}", usage->bytes, usage->inodes);
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (file_write_fd(fd, text, strlen(text), name, &ignored) < 0 ||
	    renameat(dir_fd, name, dir_fd, "usage.json") < 0)
		unlinkat(dir_fd, name, 0);
}

int usage_add_layer(const struct store *store, const char *id, struct usage *usage,
		    struct error *err)
{
	struct error why;
	struct usage mine = { 0 };
	json_int_t bytes, inodes;
	cleanup_free char *path = xasprintf("%s/usage.json", id);
	json_auto_t *kept = json_read_at(store->layers_fd, path, JSON_CONFIG_MAX, &why);

	if (kept &&
	    json_require(kept, path, &why, "{s:I, s:I}", "bytes", &bytes, "inodes", &inodes) == 0) {
		usage->bytes += bytes;
		usage->inodes += inodes;
		return 0;
	}
	if (usage_add_tree(store->layers_fd, id, &mine, err) < 0)
		return -1;
	if (mine.inodes > 0 && mine.unreadable == 0)
		remember(store, id, &mine);
	usage_add(usage, &mine);
	return 0;
}

void usage_add(struct usage *usage, const struct usage *more)
{
	usage->bytes += more->bytes;
	usage->inodes += more->inodes;
	usage->unreadable += more->unreadable;
}

void usage_warn(const struct usage *usage)
{
	if (usage->unreadable > 0)
		log_message(LOG_LEVEL_WARN, "%lld directories cannot be read, and do not count%s",
			    usage->unreadable, user_namespace_advice());
}

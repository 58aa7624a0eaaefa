/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/staging.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/partial.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It also covers the two steps of making a directory and locking it. */
static int take_gate(int locks_fd, enum lock_mode mode, struct error *err)
{
	return lock_take(locks_fd, "tmp", "gate", mode, true, err);
}

int staging_gate(const struct store *store, enum lock_mode mode, struct error *err)
{
	return take_gate(store->locks_fd, mode, err);
}

int staging_open(const struct store *store, struct staging *staging, struct error *err)
{
	cleanup_staging struct staging s = {
		.fd = -1, .tmp_fd = store->tmp_fd, .locks_fd = store->locks_fd, .lock_fd = -1
	};
	char unique[RANDOM_NAME_SIZE];
	cleanup_fd int gate = take_gate(store->locks_fd, LOCK_SHARED, err);

	if (gate < 0)
		return -1;
	random_name(unique);
	if (mkdirat(store->tmp_fd, unique, 0700) < 0)
		return error_os(err, "cannot make a directory in %s/tmp", store->root);
	snprintf(s.name, sizeof s.name, "%s", unique);
	s.fd = openat(store->tmp_fd, s.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s.fd < 0)
		return error_os(err, "%s/tmp/%s", store->root, s.name);
	s.lock_fd = openat(s.fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.lock_fd < 0)
		return error_os(err, "%s/tmp/%s/lock", store->root, s.name);
	if (lock_file(s.lock_fd, LOCK_EXCLUSIVE, false, s.name, err) < 0)
		return -1;
	*staging = s;
	s = (struct staging){ .fd = -1, .tmp_fd = -1, .locks_fd = -1, .lock_fd = -1 };
	return 0;
}

int staging_refer(const struct staging *staging, const json_t *digests, struct error *err)
{
	cleanup_free char *text = json_compact(digests);
	cleanup_fd int gate = take_gate(staging->locks_fd, LOCK_SHARED, err);

	if (gate < 0)
		return -1;
	/* no process that they count for outlives a power cut */
	return file_replace_volatile_at(staging->fd, "refs.json", text, strlen(text), 0600, err);
}

void staging_close(struct staging *staging)
{
	struct error ignored; /* gc finishes what fails here */
	int saved = errno;

	if (staging->name[0])
		path_remove_tree(staging->tmp_fd, staging->name, &ignored);
	if (staging->lock_fd >= 0)
		close(staging->lock_fd);
	if (staging->fd >= 0)
		close(staging->fd);
	*staging = (struct staging){ .fd = -1, .tmp_fd = -1, .locks_fd = -1, .lock_fd = -1 };
	errno = saved;
}

/* True when a process holds the staging directory. */
static bool is_held(int dir_fd)
{
	struct error ignored;
	cleanup_fd int fd = openat(dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && lock_file(fd, LOCK_EXCLUSIVE, false, "staging", &ignored) < 0;
}

static void add_refs(int dir_fd, json_t *refs)
{
	struct error ignored; /* without the file it refers to nothing */
	json_auto_t *more = json_read_at(dir_fd, "refs.json", JSON_DOCUMENT_MAX, &ignored);

	if (json_is_array(more))
		json_array_extend(refs, more);
}

int staging_collect(const struct store *store, const struct staging *trash, json_t *refs,
		    size_t *found, struct error *err)
{
	cleanup_dir DIR *dir = path_list(store->tmp_fd, ".");
	const struct dirent *entry;
	int live = 0;

	if (!dir)
		return error_os(err, "%s/tmp", store->root);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (partial_is_name(entry->d_name)) {
			*found += partial_expire(store->tmp_fd, entry->d_name, PARTIAL_KEPT_SECONDS,
						 trash == NULL);
			continue;
		}
		cleanup_fd int held = openat(store->tmp_fd, entry->d_name,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (held >= 0 && is_held(held)) {
			add_refs(held, refs);
			live++;
			continue;
		}
		(*found)++;
		if (trash && renameat(store->tmp_fd, entry->d_name, trash->fd, entry->d_name) < 0 &&
		    errno != ENOENT)
			return error_os(err, "cannot remove %s/tmp/%s", store->root, entry->d_name);
	}
	return live;
}

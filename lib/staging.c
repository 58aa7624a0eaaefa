/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/staging.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
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
	/* who only counts what is unfinished may be trying it at this moment */
	if (lock_file(s.lock_fd, LOCK_EXCLUSIVE, true, s.name, err) < 0)
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

/* 1: a process holds the staging directory; 0: none does; -1: that cannot be told. */
static int is_held(int dir_fd, struct error *err)
{
	struct error failure;
	cleanup_fd int fd = openat(dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == EISDIR ? 0
									    : error_os(err, "lock");
	if (lock_file(fd, LOCK_EXCLUSIVE, false, "staging", &failure) == 0)
		return 0;
	if (failure.kind == ERROR_IN_USE)
		return 1;
	*err = failure;
	return -1;
}

/* Without the file it refers to nothing. */
static int add_refs(int dir_fd, json_t *refs, struct error *err)
{
	struct error failure;
	json_auto_t *more = json_read_at(dir_fd, "refs.json", JSON_DOCUMENT_MAX, &failure);

	if (!more && failure.kind != ERROR_NOT_FOUND) {
		*err = failure;
		return -1;
	}
	if (json_is_array(more))
		json_array_extend(refs, more);
	return 0;
}

/* One in tmp/: 1 when a process works in it, with what it refers to; 0 when it can be removed; -1
 * when that cannot be told, for want of descriptors. */
static int look_into(const struct store *store, const char *name, json_t *refs, struct error *err)
{
	cleanup_fd int fd =
		openat(store->tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* no directory is nobody's */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return error_os(err, "%s/tmp/%s", store->root, name);
	int held = is_held(fd, err);
	if (held < 0 || (held > 0 && add_refs(fd, refs, err) < 0))
		return error_prefix(err, "%s/tmp/%s", store->root, name);
	return held;
}

int staging_collect(const struct store *store, struct strings *dead, json_t *refs, size_t *found,
		    struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	int live = 0;

	if (directory_names(store->tmp_fd, ".", &names) < 0)
		return error_os(err, "%s/tmp", store->root);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (partial_is_name(name)) {
			*found += partial_expire(store->tmp_fd, name, PARTIAL_KEPT_SECONDS,
						 dead == NULL);
			continue;
		}
		int held = look_into(store, name, refs, err);
		if (held < 0)
			return -1;
		live += held;
		*found += !held;
		if (!held && dead)
			strings_add(dead, name);
	}
	return live;
}

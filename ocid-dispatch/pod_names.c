/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_names.h"

#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "ocid-dispatch/pods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *hash_of(const json_t *config)
{
	json_auto_t *metadata = json_object();
	char digest[DIGEST_SIZE];

	json_object_set(metadata, "metadata", json_object_get(config, "metadata"));
	cleanup_free char *text = json_compact(metadata);
	digest_of(text, strlen(text), "sha256", digest);
	return xstrdup(digest_hex(digest));
}

/* The id to which the name belongs, or "". */
static void read_name(const struct records *records, const char *hash,
		      char id[static RANDOM_ID_SIZE])
{
	ssize_t length = readlinkat(records->names_fd, hash, id, RANDOM_ID_SIZE - 1);

	id[length > 0 ? length : 0] = '\0';
}

/* Whoever had the name: gone, half-made or half-removed, or in its way. */
static int clear_holder(const struct rpc_context *context, const struct records *records,
			const char *id, struct error *err)
{
	json_auto_t *document = pod_read(records, id, err);

	if (!document && !records_is_lost(err))
		return -1;
	const char *stage = pod_stage(document);

	if (strcmp(stage, "ready") == 0 || strcmp(stage, "stopped") == 0) {
		error_set(err, ERROR_EXISTS, "a pod with this name, uid and attempt exists: %s",
			  id);
		return error_subject(err, id);
	}
	if (!document && faccessat(records->pods_fd, id, F_OK, 0) < 0)
		return 0;
	/* who removes it just now has the lock; then there is nothing left to do */
	cleanup_fd int lock = pod_lock(records, id, LOCK_EXCLUSIVE, true, err);
	return lock < 0 ? -1 : pod_remove(context, records, id, err);
}

static int point_at(const struct records *records, const char *hash, const char *id,
		    struct error *err)
{
	if (records_remove(records->names_fd, hash, err) < 0)
		return -1;
	if (symlinkat(id, records->names_fd, hash) < 0)
		return error_os(err, "cannot note the pod's name in %s/podnames",
				records->store.root);
	return 0;
}

int pod_name_claim(const struct rpc_context *context, const struct records *records,
		   const json_t *config, const char *id, struct pod_name *name, struct error *err)
{
	cleanup_free char *hash = hash_of(config);
	char holder[RANDOM_ID_SIZE];
	cleanup_fd int lock =
		lock_take(records->store.locks_fd, "podname", hash, LOCK_EXCLUSIVE, false, err);

	if (lock < 0 && err->kind == ERROR_IN_USE)
		return error_set(err, ERROR_EXISTS,
				 "a pod with this name, uid and attempt is being made");
	if (lock < 0)
		return -1;
	read_name(records, hash, holder);
	if ((*holder && clear_holder(context, records, holder, err) < 0) ||
	    point_at(records, hash, id, err) < 0) {
		lock_discard(records->store.locks_fd, "podname", hash);
		return -1;
	}
	*name = (struct pod_name){ records, steal_ptr(&hash), steal_fd(&lock) };
	return 0;
}

void pod_name_release(struct pod_name *name)
{
	if (!name->hash)
		return;
	lock_discard(name->records->store.locks_fd, "podname", name->hash);
	cleanup_fd_p(&name->lock_fd);
	free(name->hash);
}

void pod_name_drop(const struct records *records, const json_t *config, const char *id)
{
	cleanup_free char *hash = hash_of(config);
	char holder[RANDOM_ID_SIZE];

	/* while the pod is there nobody takes its name, so this is not another's */
	read_name(records, hash, holder);
	if (strcmp(holder, id) == 0)
		unlinkat(records->names_fd, hash, 0);
}

static bool is_stale(const struct records *records, const char *hash)
{
	char id[RANDOM_ID_SIZE];

	read_name(records, hash, id);
	return *id && faccessat(records->pods_fd, id, F_OK, 0) < 0 && errno == ENOENT;
}

void pod_names_sweep(const struct records *records)
{
	int locks_fd = records->store.locks_fd;
	cleanup_strings struct strings hashes = { 0 };
	struct error ignored;

	if (records_ids(records->names_fd, ".", "", &hashes, &ignored) < 0)
		return;
	for (size_t i = 0; i < hashes.count; i++) {
		const char *hash = hashes.items[i];

		if (!is_stale(records, hash))
			continue;
		cleanup_fd int lock =
			lock_take(locks_fd, "podname", hash, LOCK_EXCLUSIVE, false, &ignored);
		if (lock < 0)
			continue;
		/* who had the lock before us may have made the pod */
		if (is_stale(records, hash))
			unlinkat(records->names_fd, hash, 0);
		lock_discard(locks_fd, "podname", hash);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/sweep.h"

#include "ctr-store/container.h"
#include "ctr-store/container_facts.h"
#include "ctr-store/container_name.h"
#include "ctr-store/erofs_shared.h"
#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/manifests.h"
#include "ctr-store/record.h"
#include "ctr-store/root_directory.h"
#include "ctr-store/trash.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LEFTOVER_AGE = 3600 /* seconds */ };

/* What is referred to: objects used as sets of the hex parts of digests. */
struct marks {
	json_t *blobs, *layers;
	json_t *manifests; /* how deep those were that were looked at, by their digests */
	json_t *only;	   /* nothing else matters; or NULL */
};

static void marks_free(struct marks *marks)
{
	json_decref(marks->blobs);
	json_decref(marks->layers);
	json_decref(marks->manifests);
	json_decref(marks->only);
}

static void mark(json_t *set, const char *hex)
{
	json_object_set_new(set, hex, json_true());
}

static void mark_digest(json_t *set, const json_t *digest)
{
	const char *text = json_string_value(digest);

	if (text && digest_is_valid(text))
		mark(set, digest_hex(text));
}

/* ---- marking ---- */

/* Note that something refers to the object, if it matters. */
static void mark_word(json_t *set, const json_t *only, const struct manifest_word *word)
{
	if (!only || json_object_getn(only, word->text, word->length))
		json_object_setn_new(set, word->text, word->length, json_true());
}

static int mark_manifest(struct marks *marks, struct manifests *manifests, const char *digest,
			 int nesting, struct error *err)
{
	struct manifest_word word;
	bool failed;

	const json_t *seen = json_object_get(marks->manifests, digest);

	/* an image with many names is looked at once, or again where more beneath it counts */
	if (!digest_is_valid(digest) || (seen && json_integer_value(seen) <= nesting))
		return 0;
	json_object_set_new(marks->manifests, digest, json_integer(nesting));
	mark(marks->blobs, digest_hex(digest));
	const char *words = manifests_get(manifests, digest, &failed, err);
	if (!words)
		return failed ? -1 : 0;
	while (manifests_next(&words, &word)) {
		if (word.kind == MANIFEST_BLOB)
			mark_word(marks->blobs, marks->only, &word);
		if (word.kind == MANIFEST_LAYER)
			mark_word(marks->layers, marks->only, &word);
		if (word.kind != MANIFEST_CHILD || nesting >= MANIFESTS_NESTING_MAX)
			continue;
		cleanup_free char *child = xstrndup(word.text, word.length);
		if (mark_manifest(marks, manifests, child, nesting + 1, err) < 0)
			return -1;
	}
	return 0;
}

/* Images of additional stores may have layers in this one. */
static int mark_index(struct marks *marks, struct manifests *manifests, const struct layout *layout,
		      struct error *err)
{
	json_auto_t *index = layout_index(layout, err);
	const json_t *entry;
	size_t i;

	if (!index)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		if (mark_manifest(marks, manifests, json_text(entry, "digest", ""), 0, err) < 0)
			return -1;
	}
	for (i = 0; i < layout->other_count; i++)
		if (mark_index(marks, manifests, &layout->others[i], err) < 0)
			return -1;
	return 0;
}

/* `layers` of containers or of records of mounts. */
static void mark_layers(struct marks *marks, const json_t *users)
{
	const json_t *user, *id;
	size_t i, j;

	json_array_foreach (users, i, user) {
		json_array_foreach (json_object_get(user, "layers"), j, id) {
			if (json_is_string(id))
				mark(marks->layers, json_string_value(id));
		}
	}
}

/* ---- sweeping ---- */

/* Temporary files of replacements that were killed: older than `age` seconds, as nobody works on
 * one for so long. */
static void sweep_leftovers(struct sweep *sweep, const char *path, time_t age)
{
	int images_fd = sweep->store->images_fd;
	cleanup_strings struct strings names = { 0 };
	struct stat st;

	directory_names(images_fd, path, &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *file = xasprintf("%s/%s", path, names.items[i]);

		if (names.items[i][0] != '.' ||
		    fstatat(images_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || time(NULL) - st.st_mtime < age)
			continue;
		sweep->staging++;
		sweep->bytes += st.st_size;
		if (!sweep->dry_run)
			unlinkat(images_fd, file, 0);
	}
}

/* Who puts a blob into the store holds a staging directory meanwhile. */
static void sweep_all_leftovers(struct sweep *sweep, bool alone)
{
	sweep_leftovers(sweep, ".", LEFTOVER_AGE);
	sweep_leftovers(sweep, "blobs/sha256", alone ? 0 : LEFTOVER_AGE);
	sweep_leftovers(sweep, "blobs/sha512", alone ? 0 : LEFTOVER_AGE);
}

static int sweep_blob(struct sweep *sweep, int dir_fd, const char *hex, const json_t *marks,
		      struct error *err)
{
	struct stat st;

	if (hex[0] == '.' || json_object_get(marks, hex) ||
	    fstatat(dir_fd, hex, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!sweep->dry_run && unlinkat(dir_fd, hex, 0) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove blob %s", hex);
	sweep->blobs++;
	sweep->bytes += st.st_size;
	return 0;
}

static int sweep_layer(struct sweep *sweep, int dir_fd, const char *id, const json_t *marks,
		       struct error *err)
{
	struct error ignored;
	struct stat st;

	if (id[0] == '.' || json_object_get(marks, id) ||
	    fstatat(dir_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	json_auto_t *facts = layer_read(sweep->store, id, &ignored);
	cleanup_free char *tree = layer_tree(id);
	if (!sweep->dry_run)
		erofs_shared_forget(sweep->store, dir_fd, tree);
	const struct trash_tally tally = {
		.bytes = &sweep->bytes, .size = json_integer_value(json_object_get(facts, "size"))
	};
	if (!sweep->dry_run && trash_take(sweep->trash, dir_fd, id, &tally) < 0 && errno != ENOENT)
		return error_os(err, "cannot remove layer %s", id);
	sweep->layers++;
	sweep->bytes += tally.size;
	return 0;
}

typedef int sweep_one(struct sweep *sweep, int dir_fd, const char *name, const json_t *marks,
		      struct error *err);

/* All that is in the directory. */
static int sweep_each(struct sweep *sweep, int dir_fd, sweep_one *one, const json_t *marks,
		      struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(dir_fd, ".", &names) < 0)
		return error_os(err, "%s", sweep->store->root);
	for (size_t i = 0; i < names.count; i++)
		if (one(sweep, dir_fd, names.items[i], marks, err) < 0)
			return -1;
	return 0;
}

/* All, or each of `only` where it is not NULL. */
static int sweep_directory(struct sweep *sweep, int parent_fd, const char *path, sweep_one *one,
			   const json_t *marks, json_t *only, struct error *err)
{
	cleanup_fd int fd =
		openat(parent_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *name;
	json_t *ignored;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s/%s", sweep->store->root, path);
	if (!only)
		return sweep_each(sweep, fd, one, marks, err);
	json_object_foreach (only, name, ignored) {
		if (one(sweep, fd, name, marks, err) < 0)
			return -1;
	}
	return 0;
}

/* Containers that were there only for a mount that is gone, by a reboot or umount(8). Leaves the
 * others in `containers`. */
static int sweep_containers(struct sweep *sweep, json_t *containers, const json_t *records,
			    struct error *err)
{
	json_auto_t *mounts = record_by_container(records);

	for (size_t i = json_array_size(containers); i-- > 0;) {
		const json_t *container = json_array_get(containers, i);

		if (!json_is_true(json_object_get(container, "throwaway")) ||
		    json_object_get(mounts, json_text(container, "id", "")))
			continue;
		if (!sweep->dry_run &&
		    container_discard(sweep->store, container, sweep->trash, err) < 0)
			return -1;
		sweep->containers++;
		json_array_remove(containers, i);
	}
	return 0;
}

static json_t *set_of(const json_t *digests)
{
	json_t *set = json_object();
	const json_t *digest;
	size_t i;

	json_array_foreach (digests, i, digest) {
		mark_digest(set, digest);
	}
	return set;
}

/* Mounts of images that no record needs. */
static void sweep_shared(const struct sweep *sweep, const json_t *records)
{
	json_auto_t *users = json_object();
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		json_object_set_new(users, record_user(record), json_true());
	}
	erofs_shared_collect(sweep->store, users);
}

/* Directories for mounts (attach.c) whose process was killed before it had put one there. */
static void sweep_targets(const struct sweep *sweep, const json_t *records)
{
	cleanup_free char *top = xasprintf("%s/mnt", sweep->store->runroot);
	json_auto_t *targets = json_object();
	cleanup_strings struct strings names = { 0 };
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		json_object_set_new(targets, json_text(record, "target", ""), json_true());
	}
	directory_names(AT_FDCWD, top, &names);
	for (i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", top, names.items[i]);

		if (!json_object_get(targets, path))
			rmdir(path);
	}
}

/* Containers and records of mounts, without those that nothing keeps. The caller owns them. */
static json_t *read_users(struct sweep *sweep, struct error *err)
{
	bool all = sweep->only == NULL;
	json_auto_t *records =
		record_list(sweep->store, all && !sweep->dry_run, &sweep->records, err);
	json_auto_t *users = records ? container_list(sweep->store, err) : NULL;

	if (!users || (all && sweep_containers(sweep, users, records, err) < 0))
		return NULL;
	if (all)
		sweep->containers +=
			container_collect_lost(sweep->store, sweep->dry_run ? NULL : sweep->trash);
	if (all && !sweep->dry_run) {
		sweep_shared(sweep, records);
		sweep_targets(sweep, records);
		root_directory_collect(sweep->store, records);
	}
	json_array_extend(users, records);
	return json_incref(users);
}

static int sweep_objects(struct sweep *sweep, const struct marks *marks, struct error *err)
{
	static const char *const directories[] = { "blobs/sha256", "blobs/sha512" };

	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		if (sweep_directory(sweep, sweep->store->images_fd, directories[i], sweep_blob,
				    marks->blobs, marks->only, err) < 0)
			return -1;
	return sweep_directory(sweep, sweep->store->layers_fd, ".", sweep_layer, marks->layers,
			       marks->only, err);
}

/* What ended processes have left unfinished goes; `references` get what the living ones refer to.
 * Returns how many of these there are. */
static int sweep_staging(struct sweep *sweep, json_t *references, struct error *err)
{
	bool removes = sweep->only == NULL && !sweep->dry_run;
	const struct trash_tally tally = { .count = &sweep->staging };
	cleanup_strings struct strings dead = { 0 };
	int live = staging_collect(sweep->store, removes ? &dead : NULL, references,
				   &sweep->staging, err);

	for (size_t i = 0; live >= 0 && i < dead.count; i++)
		trash_add(sweep->trash, dead.items[i], &tally);
	return live;
}

int sweep_run(struct sweep *sweep, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	json_auto_t *references = json_array();
	bool all = sweep->only == NULL;

	/* images of a store that is away may have layers in this one */
	if (store_complete(sweep->store, err) < 0 || image_layout(sweep->store, &layout, err) < 0)
		return -1;
	/* processes first: what they have put into the index when they end is then found there */
	int live = sweep_staging(sweep, references, err);
	if (live < 0)
		return -1;
	json_auto_t *users = read_users(sweep, err);
	if (!users)
		return -1;

	cleanup_manifests struct manifests manifests = { 0 };
	__attribute__((cleanup(marks_free))) struct marks marks = {
		json_object(), set_of(references), json_object(), json_incref(sweep->only)
	};
	manifests_open(&manifests, sweep->store, &layout, all);
	if (mark_index(&marks, &manifests, &layout, err) < 0)
		return -1;
	json_auto_t *held = set_of(references);
	json_object_update(marks.blobs, held);
	mark_layers(&marks, users);
	if (all && !sweep->dry_run)
		container_name_sweep(sweep->store);
	if (all)
		sweep_all_leftovers(sweep, live == 0);
	return sweep_objects(sweep, &marks, err);
}

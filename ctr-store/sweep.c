/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/sweep.h"

#include "ctr-store/container.h"
#include "ctr-store/container_name.h"
#include "ctr-store/image.h"
#include "ctr-store/layer.h"
#include "ctr-store/record.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/staging.h"
#include "lib/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NESTING_MAX = 8, LEFTOVER_AGE = 3600 /* seconds */ };

/* What is referred to: objects used as sets of the hex parts of digests. */
struct marks {
	json_t *blobs, *layers;
};

static void marks_free(struct marks *marks)
{
	json_decref(marks->blobs);
	json_decref(marks->layers);
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

/* Either directory may be the layer's: DiffID or ChainID. */
static void mark_config(struct marks *marks, const json_t *config)
{
	const json_t *diff_ids = json_path(config, "rootfs", "diff_ids", NULL), *diff_id;
	char chain[DIGEST_SIZE], parent[DIGEST_SIZE];
	size_t i;

	json_array_foreach (diff_ids, i, diff_id) {
		const char *text = json_string_value(diff_id);

		if (!text || !digest_is_valid(text))
			return;
		digest_chain(i ? parent : NULL, text, chain);
		memcpy(parent, chain, sizeof parent);
		mark(marks->layers, digest_hex(text));
		mark(marks->layers, digest_hex(chain));
	}
}

/* Read a blob of JSON. 0 with *json NULL when it is not there or is damaged: then nothing follows
 * from it. Any other failure must stop us before something is taken for unused. */
static int read_blob(const struct layout *layout, const char *digest, json_t **json,
		     struct error *err)
{
	*json = layout_read_json(layout, digest, err);
	if (*json || err->kind == ERROR_NOT_FOUND)
		return 0;
	if (err->kind != ERROR_INTEGRITY)
		return -1;
	log_message(LOG_LEVEL_WARN, "%s", err->message);
	return 0;
}

static bool is_image_config(const json_t *descriptor)
{
	const char *type = json_text(descriptor, "mediaType", "");

	return strcmp(type, "application/vnd.oci.image.config.v1+json") == 0 ||
	       strcmp(type, "application/vnd.docker.container.image.v1+json") == 0;
}

static void mark_list(struct marks *marks, const json_t *descriptors)
{
	const json_t *descriptor;
	size_t i;

	json_array_foreach (descriptors, i, descriptor) {
		mark_digest(marks->blobs, json_object_get(descriptor, "digest"));
	}
}

static int mark_manifest(struct marks *marks, const struct layout *layout, const char *digest,
			 int nesting, struct error *err)
{
	json_auto_t *manifest = NULL;
	json_auto_t *config = NULL;
	const json_t *child;
	size_t i;

	if (!digest_is_valid(digest) || json_object_get(marks->blobs, digest_hex(digest)))
		return 0; /* an image with many names is read once */
	mark(marks->blobs, digest_hex(digest));
	if (read_blob(layout, digest, &manifest, err) < 0)
		return -1;

	const json_t *descriptor = json_object_get(manifest, "config");
	mark_digest(marks->blobs, json_object_get(descriptor, "digest"));
	mark_list(marks, json_object_get(manifest, "layers"));
	mark_list(marks, json_object_get(manifest, "blobs"));
	json_array_foreach (json_object_get(manifest, "manifests"), i, child) {
		if (nesting < NESTING_MAX &&
		    mark_manifest(marks, layout, json_text(child, "digest", ""), nesting + 1, err) <
			    0)
			return -1;
	}
	if (!is_image_config(descriptor))
		return 0;
	if (read_blob(layout, json_text(descriptor, "digest", ""), &config, err) < 0)
		return -1;
	mark_config(marks, config);
	return 0;
}

/* Images of additional stores may have layers in this one. */
static int mark_index(struct marks *marks, const struct layout *layout, struct error *err)
{
	json_auto_t *index = layout_index(layout, err);
	const json_t *entry;
	size_t i;

	if (!index)
		return -1;
	json_array_foreach (json_object_get(index, "manifests"), i, entry) {
		if (mark_manifest(marks, layout, json_text(entry, "digest", ""), 0, err) < 0)
			return -1;
	}
	for (i = 0; i < layout->other_count; i++)
		if (mark_index(marks, &layout->others[i], err) < 0)
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

static bool is_wanted(const struct sweep *sweep, const json_t *marks, const json_t *only,
		      const char *hex)
{
	return hex[0] == '.' || json_object_get(marks, hex) ||
	       (sweep->only && !json_object_get(only, hex));
}

/* The temporary file of a replacement that was killed: nobody works on one for so long. */
static bool is_leftover(const char *name, const struct stat *st)
{
	return name[0] == '.' && name[1] && S_ISREG(st->st_mode) &&
	       time(NULL) - st->st_mtime > LEFTOVER_AGE;
}

static void sweep_leftovers(struct sweep *sweep, int parent_fd, const char *name)
{
	cleanup_fd int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;

	if (!dir)
		return;
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_leftover(entry->d_name, &st))
			continue;
		sweep->staging++;
		sweep->bytes += st.st_size;
		if (!sweep->dry_run)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

static int sweep_blobs_in(struct sweep *sweep, int dir_fd, const json_t *marks, const json_t *only,
			  struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(dir_fd);
	const struct dirent *entry;
	struct stat st;

	if (!dir) {
		close(dir_fd);
		return error_os(err, "blobs");
	}
	while ((entry = readdir(dir))) {
		if (is_wanted(sweep, marks, only, entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (!sweep->dry_run && unlinkat(dirfd(dir), entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return error_os(err, "cannot remove blob %s", entry->d_name);
		sweep->blobs++;
		sweep->bytes += st.st_size;
	}
	return 0;
}

static int sweep_blobs(struct sweep *sweep, const struct layout *layout, const json_t *marks,
		       const json_t *only, struct error *err)
{
	static const char *const directories[] = { "blobs/sha256", "blobs/sha512" };

	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		int fd = openat(layout->fd, directories[i],
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return error_os(err, "%s/%s", layout->path, directories[i]);
		if (sweep_blobs_in(sweep, fd, marks, only, err) < 0)
			return -1;
	}
	return 0;
}

static int sweep_layer(struct sweep *sweep, const char *id, struct error *err)
{
	struct error ignored;
	json_auto_t *facts = layer_read(sweep->store, id, &ignored);
	cleanup_free char *name = xasprintf("layer-%s", id);

	if (!sweep->dry_run && renameat(sweep->store->layers_fd, id, sweep->trash->fd, name) < 0 &&
	    errno != ENOENT)
		return error_os(err, "cannot remove layer %s", id);
	sweep->layers++;
	sweep->bytes += json_integer_value(json_object_get(facts, "size"));
	return 0;
}

static int sweep_layers(struct sweep *sweep, const json_t *marks, const json_t *only,
			struct error *err)
{
	cleanup_fd int fd =
		openat(sweep->store->layers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return error_os(err, "%s/layers", sweep->store->root);
	steal_fd(&fd);
	while ((entry = readdir(dir)))
		if (!is_wanted(sweep, marks, only, entry->d_name) &&
		    sweep_layer(sweep, entry->d_name, err) < 0)
			return -1;
	return 0;
}

/* Containers that were there only for a mount that is gone, by a reboot or umount(8). Leaves the
 * others in `containers`. */
static int sweep_containers(struct sweep *sweep, json_t *containers, const json_t *records,
			    struct error *err)
{
	for (size_t i = json_array_size(containers); i-- > 0;) {
		const json_t *container = json_array_get(containers, i);
		json_auto_t *mounts =
			record_select(records, "container", json_text(container, "id", ""));

		if (!json_is_true(json_object_get(container, "throwaway")) ||
		    json_array_size(mounts) > 0)
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

int sweep_run(struct sweep *sweep, struct error *err)
{
	cleanup_layout struct layout layout = { .fd = -1 };
	json_auto_t *references = json_array();
	json_auto_t *only = set_of(sweep->only);
	bool all = sweep->only == NULL;

	if (image_layout(sweep->store, &layout, err) < 0)
		return -1;
	/* processes first: what they have put into the index when they end is then found there */
	if (staging_collect(sweep->store, all && !sweep->dry_run ? sweep->trash : NULL, references,
			    &sweep->staging, err) < 0)
		return -1;
	json_auto_t *records =
		record_list(sweep->store, all && !sweep->dry_run, &sweep->records, err);
	json_auto_t *containers = records ? container_list(sweep->store, err) : NULL;
	if (!containers || (all && sweep_containers(sweep, containers, records, err) < 0))
		return -1;
	if (all)
		sweep->containers +=
			container_collect_lost(sweep->store, sweep->dry_run ? NULL : sweep->trash);

	__attribute__((cleanup(marks_free))) struct marks marks = { json_object(),
								    set_of(references) };
	if (mark_index(&marks, &layout, err) < 0)
		return -1;
	json_auto_t *held = set_of(references);
	json_object_update(marks.blobs, held);
	mark_layers(&marks, containers);
	mark_layers(&marks, records);
	if (all && !sweep->dry_run)
		container_name_sweep(sweep->store);
	if (all) {
		sweep_leftovers(sweep, layout.fd, ".");
		sweep_leftovers(sweep, layout.fd, "blobs/sha256");
		sweep_leftovers(sweep, layout.fd, "blobs/sha512");
	}
	if (sweep_blobs(sweep, &layout, marks.blobs, only, err) < 0 ||
	    sweep_layers(sweep, marks.layers, only, err) < 0)
		return -1;
	return 0;
}

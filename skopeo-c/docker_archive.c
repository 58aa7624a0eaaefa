/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive:PATH[:NAME[:TAG]]: images in an archive as docker save makes it. PATH ends at the
 * first colon, "-" is standard input or output; ":@N" is image N of a source. */
#include "skopeo-c/docker_archive.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/transport.h"

#include <stdlib.h>
#include <string.h>

static const char *const renewed[] = { "manifest.json", "repositories", "index.json", "oci-layout",
				       NULL };

static void docker_archive_close(struct transport *t)
{
	docker_archive_free(t->state);
}

static int open_destination(struct transport *t, const char *ref,
			    const struct transport_settings *settings, struct error *err)
{
	struct docker_archive *state = t->state;

	if (ref && ref[0] == '@')
		return error_set(err, ERROR_USAGE, "%s: \"@N\" can only name a source", t->name);
	if (docker_archive_name(state, ref, settings->additional_tags, err) < 0 ||
	    archive_writer_open(t->path, renewed, &state->writer, err) < 0)
		return -1;
	if (state->names.count > 0)
		t->reference = xstrdup(state->names.items[0]);
	t->is_sequential = state->writer.is_stream;
	t->is_stdout = archive_is_stdout(t->path);
	if (!state->writer.old)
		return 0;
	json_decref(state->entries);
	state->entries = docker_archive_entries(state->writer.old, err);
	return state->entries ? 0 : -1;
}

static int docker_archive_open(struct transport *t, const char *rest,
			       const struct transport_settings *settings, struct error *err)
{
	const char *colon = strchr(rest, ':');
	const char *ref = colon && colon[1] ? colon + 1 : NULL;
	struct docker_archive *state = xcalloc(1, sizeof *state);

	docker_archive_init(state);
	t->state = state;
	t->name = xasprintf("docker-archive:%s", rest);
	t->path = xstrndup(rest, strcspn(rest, ":"));
	if (t->path[0] == '\0')
		return error_set(err, ERROR_USAGE, "docker-archive: needs a path");
	if (settings->is_destination)
		return open_destination(t, ref, settings, err);
	t->is_named = ref && ref[0] != '@';
	state->archive = archive_open(t->path, settings->spool_directory, err);
	return state->archive ? docker_archive_load(state, ref, t->name, &t->reference, err) : -1;
}

/* ---- source ---- */

int docker_archive_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
				struct error *err)
{
	const struct docker_archive *state = t->state;
	char *bytes = json_compact(state->manifest);

	return manifest_parse(bytes, strlen(bytes), MANIFEST_OCI, digest, t->name, manifest, err);
}

int docker_archive_open_blob(struct transport *t, const struct blob *blob,
			     struct blob_source *source, struct error *err)
{
	const struct docker_archive *state = t->state;
	const char *name = json_text(state->blobs, blob->digest, NULL);
	const struct archive_member *member = name ? archive_find(state->archive, name) : NULL;

	if (!member)
		return error_set(err, ERROR_NOT_FOUND, "%s: blob %s is missing", t->name,
				 blob->digest);
	return archive_source(state->archive, member, blob->digest, source, err);
}

/* ---- destination ---- */

static int docker_archive_prepare(struct transport *t, const json_t *digests,
				  const struct plan *plan, struct error *err)
{
	(void)digests;
	return docker_archive_check(plan, t->name, err);
}

int docker_archive_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			      struct error *err)
{
	struct docker_archive *state = t->state;
	cleanup_free char *name = docker_archive_blob_name(blob);

	int status = archive_writer_has_blob(&state->writer, name, blob, err);

	sink->fd = -1;
	sink->state = SINK_PRESENT;
	if (status != 0)
		return status < 0 ? -1 : 0;
	return archive_writer_offer(&state->writer, name, blob->size, sink, err);
}

int docker_archive_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			       struct error *err)
{
	struct docker_archive *state = t->state;
	cleanup_free char *name = docker_archive_blob_name(blob);

	(void)sink;
	return archive_writer_commit(&state->writer, name, err);
}

static int docker_archive_lend_place(struct transport *t, int *fd, struct error *err)
{
	return archive_writer_lend(&((struct docker_archive *)t->state)->writer, fd, err);
}

static int docker_archive_take_place(struct transport *t, const struct blob *blob,
				     struct error *err)
{
	struct docker_archive *state = t->state;
	cleanup_free char *name = docker_archive_blob_name(blob);

	return archive_writer_take(&state->writer, name, blob->size, err);
}

int docker_archive_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
				struct error *err)
{
	struct docker_archive *state = t->state;
	cleanup_free char *text = docker_archive_index(state, manifest);

	(void)is_top; /* there is only one */
	if (archive_writer_add(&state->writer, "manifest.json", text, strlen(text), err) < 0)
		return -1;
	return archive_writer_finish(&state->writer, err);
}

static int docker_archive_list(const char *rest, const struct transport_settings *settings,
			       json_t *names, struct error *err)
{
	cleanup_free char *path = xstrndup(rest, strcspn(rest, ":"));
	struct archive *archive = archive_open(path, settings->spool_directory, err);
	json_auto_t *entries = archive ? docker_archive_entries(archive, err) : NULL;
	const json_t *entry;
	size_t i;

	archive_free(archive);
	json_array_foreach (entries, i, entry) {
		const json_t *tags = json_object_get(entry, "RepoTags");
		cleanup_free char *position = xasprintf("@%zu", i);

		if (json_array_size(tags) > 0)
			json_array_extend(names, (json_t *)tags);
		else
			json_array_append_new(names, json_string(position));
	}
	return entries ? 0 : -1;
}

const struct transport_class transport_docker_archive = {
	.prefix = "docker-archive:",
	.makes_manifest = true,
	.identity = IDENTITY_PATH,
	.list = docker_archive_list,
	.open = docker_archive_open,
	.close = docker_archive_close,
	.get_manifest = docker_archive_get_manifest,
	.open_blob = docker_archive_open_blob,
	.prepare = docker_archive_prepare,
	.offer_blob = docker_archive_offer_blob,
	.commit_blob = docker_archive_commit_blob,
	.lend_place = docker_archive_lend_place,
	.take_place = docker_archive_take_place,
	.put_manifest = docker_archive_put_manifest,
};

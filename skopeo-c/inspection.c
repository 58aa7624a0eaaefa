/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/inspection.h"

#include "lib/json.h"
#include "lib/layout.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/schema1.h"

#include <stdlib.h>
#include <string.h>

enum {
	KNOWN_MAX = 32,		    /* images that are remembered, and lists of tags */
	KNOWN_BYTES_MAX = 64 << 10, /* of manifest and config of each */
};

void inspect_session_close(struct inspect_session *session)
{
	registry_pool_free(&session->pool);
	http_free(session->http);
	json_decref(session->platform);
	json_decref(session->tag_lists);
	json_decref(session->known);
	*session = (struct inspect_session){ 0 };
}

/* ---- tags ---- */

static bool wants_tags(const struct inspection *inspection)
{
	return inspection->repository && inspection->session->wants_tags;
}

/* Ask for the tags of the repository, unless that was done for another image. */
static int start_tags(struct inspection *inspection, struct error *err)
{
	json_t *lists = inspection->session->tag_lists;

	if (json_object_get(lists, inspection->repository))
		return 0;
	struct registry *registry = docker_origin(&inspection->from, err);
	if (!registry)
		return -1;
	tags_start(&inspection->tags, registry);
	json_object_set_new(lists, inspection->repository, json_true());
	return 0;
}

/* Leave it to others to ask for them. */
static void stop_tags(struct inspection *inspection)
{
	json_t *lists = inspection->session->tag_lists;

	if (!inspection->tags.registry)
		return;
	tags_free(&inspection->tags);
	if (json_is_true(json_object_get(lists, inspection->repository)))
		json_object_del(lists, inspection->repository);
}

static void remember_tags(const struct inspection *inspection, json_t *list)
{
	json_t *lists = inspection->session->tag_lists, *other;
	const char *repository;
	void *next;

	if (json_object_size(lists) > KNOWN_MAX)
		json_object_foreach_safe (lists, next, repository, other)
			if (json_is_array(other))
				json_object_del(lists, repository);
	json_object_set_new(lists, inspection->repository, list);
}

/* Where the registry keeps them to itself, or is away while a mirror serves: that alone is no
 * reason to say nothing about the image. */
static bool can_be_without(const struct inspection *inspection, enum error_kind kind)
{
	bool is_mirrored = inspection->tags.registry != docker_registry(&inspection->from);

	return kind == ERROR_DENIED || kind == ERROR_NOT_FOUND || kind == ERROR_UNSUPPORTED ||
	       (kind == ERROR_TEMPORARY && is_mirrored);
}

static int poll_tags(struct inspection *inspection, struct error *err)
{
	int status = tags_poll(&inspection->tags, err);

	if (status == 0)
		return 0;
	json_t *list = status > 0 ? json_incref(inspection->tags.list) : json_array();
	if (status < 0) {
		if (!can_be_without(inspection, err->kind)) {
			json_decref(list);
			return -1;
		}
		log_message(LOG_LEVEL_WARN, "%s", err->message);
	}
	remember_tags(inspection, list);
	return 0;
}

static int take_tags(struct inspection *inspection, struct error *err)
{
	const json_t *lists = inspection->session->tag_lists;

	if (!wants_tags(inspection)) {
		inspection->tag_list = json_array();
		return 1;
	}
	if (inspection->tags.registry ? poll_tags(inspection, err) < 0
				      : start_tags(inspection, err) < 0)
		return -1;
	json_t *list = json_object_get(lists, inspection->repository);
	if (!json_is_array(list))
		return 0;
	inspection->tag_list = json_incref(list);
	return 1;
}

/* ---- images that are known ---- */

/* Several tags are often one image: then it was just read. */
static bool recall(struct inspection *inspection)
{
	if (!inspection->repository || inspection->session->settings->raw)
		return false;
	inspection->known_as =
		xasprintf("%s@%s", inspection->repository, inspection->manifest.digest);
	const json_t *known = json_object_get(inspection->session->known, inspection->known_as);
	if (!known)
		return false;
	inspection->is_docker = json_is_true(json_object_get(known, "is_docker"));
	inspection->config = json_incref(json_object_get(known, "config"));
	inspection->layers = json_incref(json_object_get(known, "layers"));
	return true;
}

static void remember(const struct inspection *inspection)
{
	json_t *known = inspection->session->known;

	if (!inspection->known_as || !inspection->config ||
	    (json_int_t)inspection->manifest.length + inspection->image.config_blob.size >
		    KNOWN_BYTES_MAX)
		return;
	if (json_object_size(known) >= KNOWN_MAX)
		json_object_clear(known);
	json_object_set_new(known, inspection->known_as,
			    json_pack("{s:b, s:O, s:O}", "is_docker", inspection->is_docker,
				      "config", inspection->config, "layers", inspection->layers));
}

/* ---- manifest and config ---- */

static bool is_answered(struct transport *from)
{
	return !from->class->is_answered || from->class->is_answered(from);
}

/* Ask for the image that an index will be found to name. */
static void expect_choice(struct inspection *inspection)
{
	const struct manifest *manifest = &inspection->manifest;
	struct transport *from = &inspection->from;
	struct error ignored; /* choosing comes upon it again */

	if (!manifest->is_index || !from->class->expect_manifest)
		return;
	const char *digest =
		json_text(layout_choose_platform(manifest->json, inspection->session->platform,
						 from->name, &ignored),
			  "digest", "");
	if (digest_is_valid(digest))
		from->class->expect_manifest(from, digest);
}

/* The digest of the entry, or NULL. */
static const char *entry_digest(const struct inspection *inspection)
{
	return inspection->entry ? json_text(inspection->entry, "digest", "") : NULL;
}

static int get_manifest(struct inspection *inspection, struct error *err)
{
	struct transport *from = &inspection->from;
	struct blob entry;

	if (!inspection->entry && from->class->kept_manifest)
		return from->class->kept_manifest(from, &inspection->manifest, err);
	if (!inspection->entry)
		return from->class->get_manifest(from, NULL, &inspection->manifest, err);
	if (blob_from_json(inspection->entry, from->name, &entry, err) < 0 ||
	    from->class->get_manifest(from, entry.digest, &inspection->manifest, err) < 0)
		return -1;
	return manifest_check_entry(&inspection->manifest, &entry, from->name, err);
}

static int read_manifest(struct inspection *inspection, struct error *err)
{
	const struct inspect_settings *settings = inspection->session->settings;
	const struct manifest *manifest = &inspection->manifest;

	if (!is_answered(&inspection->from))
		return 0;
	if (get_manifest(inspection, err) < 0)
		return -1;
	if (settings->all && manifest->is_index)
		inspection->images = json_incref(json_object_get(manifest->json, "manifests"));
	if (settings->algorithm)
		digest_of(manifest->bytes, manifest->length, settings->algorithm,
			  inspection->digest);
	else
		memcpy(inspection->digest, manifest->digest, sizeof inspection->digest);
	/* of a mirrored registry it is only now known how to speak to it */
	if (wants_tags(inspection) && start_tags(inspection, err) < 0)
		return -1;
	if (inspection->session->wants_config && !inspection->images && !recall(inspection))
		expect_choice(inspection);
	return 1;
}

/* True when there is nothing to read beyond the manifest. */
static bool is_enough(const struct inspection *inspection)
{
	return !inspection->session->wants_config || inspection->layers || inspection->images;
}

static int choose_image(struct inspection *inspection, struct error *err)
{
	struct manifest *manifest = &inspection->manifest;
	struct transport *from = &inspection->from;

	if (is_enough(inspection))
		return 1;
	if (!is_answered(from))
		return 0;
	if (plan_choose(from, manifest, inspection->session->platform, err) < 0)
		return -1;
	inspection->is_docker =
		manifest->is_schema1 || strcmp(manifest->media_type, MANIFEST_DOCKER) == 0;
	if (!manifest->is_schema1)
		return image_begin(from, manifest, &inspection->image, &inspection->config_source,
				   err) < 0
			       ? -1
			       : 1;
	inspection->config = schema1_config(manifest->json, NULL, from->name, err);
	inspection->layers = schema1_layers(manifest->json, true);
	return inspection->config ? 1 : -1;
}

static int read_config(struct inspection *inspection, struct error *err)
{
	if (is_enough(inspection))
		return 1;
	if (!blob_source_is_answered(&inspection->config_source))
		return 0;
	if (image_end(&inspection->from, &inspection->image, &inspection->config_source, err) < 0)
		return -1;
	inspection->config = json_incref(inspection->image.config);
	inspection->layers = json_incref(json_object_get(inspection->manifest.json, "layers"));
	remember(inspection);
	return 1;
}

/* ---- the steps ---- */

static void name_image(struct inspection *inspection)
{
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	/* without one they have no name, as in skopeo */
	if (!inspection->from.is_named || !inspection->from.reference ||
	    reference_parse(inspection->from.reference, &reference, &ignored) < 0)
		return;
	if (transport_is_docker(&inspection->from))
		inspection->repository = reference_name(&reference);
	else
		inspection->title = reference_name(&reference);
}

static int begin(struct inspection *inspection, struct error *err)
{
	struct inspect_session *session = inspection->session;
	struct transport *from = &inspection->from;

	if (transport_names_registry(inspection->name) && !session->http &&
	    !(session->http = http_new(err)))
		return -1;
	const struct transport_settings source = {
		.cli = session->cli,
		.http = session->http,
		.access = session->settings->access,
		.blob_dir = session->settings->blob_dir,
		.daemon = session->settings->daemon,
		.pool = &session->pool,
	};
	if (transport_open(from, inspection->name, &source, err) < 0)
		return -1;
	name_image(inspection);
	if (from->class->expect_manifest &&
	    from->class->expect_manifest(from, entry_digest(inspection)) && wants_tags(inspection))
		return start_tags(inspection, err);
	return 0;
}

/* Each: 1 when it is done, 0 when it has to wait. */
static int (*const steps[])(struct inspection *, struct error *) = {
	read_manifest,
	choose_image,
	read_config,
	take_tags,
};

enum { STEPS = sizeof steps / sizeof steps[0] };

static void fail(struct inspection *inspection)
{
	inspection->has_failed = inspection->is_done = true;
	stop_tags(inspection);
}

struct inspection *inspection_new(struct inspect_session *session, const char *name, json_t *entry)
{
	struct inspection *inspection = xcalloc(1, sizeof *inspection);

	inspection->session = session;
	inspection->name = xstrdup(name);
	inspection->entry = json_incref(entry);
	inspection->config_source = BLOB_SOURCE_NONE;
	if (begin(inspection, &inspection->problem) < 0)
		fail(inspection);
	return inspection;
}

bool inspection_poll(struct inspection *inspection)
{
	int status = 1;

	while (!inspection->is_done && status > 0) {
		status = steps[inspection->step](inspection, &inspection->problem);
		if (status > 0 && ++inspection->step == STEPS)
			inspection->is_done = true;
		if (status < 0)
			fail(inspection);
	}
	return inspection->is_done;
}

void inspection_free(struct inspection *inspection)
{
	if (!inspection)
		return;
	stop_tags(inspection);
	blob_source_close(&inspection->config_source);
	image_free(&inspection->image);
	manifest_free(&inspection->manifest);
	transport_close(&inspection->from);
	json_decref(inspection->entry);
	json_decref(inspection->images);
	json_decref(inspection->config);
	json_decref(inspection->layers);
	json_decref(inspection->tag_list);
	free(inspection->repository);
	free(inspection->title);
	free(inspection->known_as);
	free(inspection->name);
	free(inspection);
}

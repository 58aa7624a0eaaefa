/* SPDX-License-Identifier: Apache-2.0 */
/* docker://: images in registries (distribution-spec 1.1). */
#include "skopeo-c/docker.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/registry_missing.h"
#include "skopeo-c/registry_pool.h"
#include "skopeo-c/signature_registry.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/upload.h"

#include <stdlib.h>
#include <string.h>

/* What stands in place of a tag where there is to be none, and the digest is not known before; as
 * in containers-transports(5). */
#define TAGLESS "@@unknown-digest@@"

/* One of the endpoints that may serve the image. */
struct place {
	const struct endpoint *endpoint;
	struct registry *registry; /* NULL until it is opened: `own`, or one of the pool's */
	struct registry own;
};

struct docker {
	struct http *http;
	struct access access;
	char *named; /* the registry as the user wrote it */
	const char *actions;
	struct route route;
	struct place *places;	       /* one for each endpoint of the route */
	struct place *at;	       /* the one that is in use */
	bool is_settled;	       /* that one has given the manifest */
	bool is_tagless;	       /* a destination whose image gets no tag */
	json_t *known;		       /* an object: digests that the repository has */
	struct registry_pool *pool;    /* borrowed; or NULL */
	struct registry_call reading;  /* of a manifest, under way or answered */
	struct registry_call question; /* what the destination's name stands for */
	struct uploads uploads;
};

bool transport_is_docker(const struct transport *t)
{
	return t->class == &transport_docker;
}

static int open_place(struct docker *docker, struct place *place, struct error *err)
{
	if (place->registry)
		return 0;
	if (docker->pool) {
		place->registry =
			registry_pool_open(docker->pool, docker->http, &docker->access,
					   place->endpoint, docker->named, docker->actions, err);
		return place->registry ? 0 : -1;
	}
	if (registry_open(docker->http, &docker->access, place->endpoint, docker->named,
			  docker->actions, &place->own, err) < 0)
		return -1;
	place->registry = &place->own;
	return 0;
}

struct registry *docker_registry(const struct transport *t)
{
	const struct docker *docker = t->state;

	return docker->at->registry;
}

struct registry *docker_origin(struct transport *t, struct error *err)
{
	struct docker *docker = t->state;
	struct place *own = &docker->places[docker->route.count - 1];
	struct place *place = own->endpoint->blocked ? docker->at : own;

	return open_place(docker, place, err) < 0 ? NULL : place->registry;
}

void docker_allow_mounts(struct transport *to, const struct transport *from)
{
	if (!transport_is_docker(to) || !transport_is_docker(from))
		return;

	struct docker *docker = to->state;
	struct registry *ours = docker->at->registry;
	const struct docker *source = from->state;
	const struct registry *theirs = source->at->registry;
	if (strcmp(ours->name, theirs->name) != 0)
		return;
	if (strcmp(ours->repository, theirs->repository) == 0) {
		json_decref(docker->known);
		docker->known = json_incref(source->known);
		return;
	}
	docker->uploads.mount_from = xstrdup(theirs->repository);
	strings_addf(&ours->scopes, "repository:%s:pull", docker->uploads.mount_from);
}

/* Parse the name. Of one that ends with TAGLESS *is_tagless; it has no tag. */
static int parse_name(const char *name, struct reference *reference, bool *is_tagless,
		      struct error *err)
{
	size_t length = strlen(name), ending = strlen(TAGLESS);

	*is_tagless = length > ending && strcmp(name + length - ending, TAGLESS) == 0;
	cleanup_free char *rest = xstrndup(name, *is_tagless ? length - ending : length);
	if (reference_parse(rest, reference, err) < 0)
		return -1;
	if (*is_tagless && (reference->tag || reference->digest))
		return error_set(err, ERROR_USAGE, "%s: there is a tag or a digest before " TAGLESS,
				 name);
	return 0;
}

static int docker_open(struct transport *t, const char *rest,
		       const struct transport_settings *settings, struct error *err)
{
	cleanup_reference struct reference reference = { 0 };
	cleanup_route struct route route = { 0 };
	bool is_tagless;

	if (parse_name(rest, &reference, &is_tagless, err) < 0)
		return -1;
	if (is_tagless && !settings->is_destination)
		return error_set(err, ERROR_USAGE, "%s: " TAGLESS " can only name a destination",
				 rest);
	cleanup_free char *repository = reference_name(&reference);
	reference_default_tag(&reference);
	if (reference.digest) {
		/* the digest says it all; a tag beside it is only a remark */
		free(reference.tag);
		reference.tag = NULL;
	}
	if (registries_route(&reference, settings->is_destination, &route, err) < 0)
		return -1;

	struct docker *docker = xcalloc(1, sizeof *docker);
	t->state = docker;
	t->reference = is_tagless ? xstrdup(repository) : reference_text(&reference);
	t->name = xstrdup(t->reference);
	t->is_named = !settings->is_destination;
	docker->is_tagless = is_tagless;
	docker->known = json_object();
	docker->http = settings->http;
	docker->access = settings->access;
	docker->uploads.runroot = settings->cli->runroot;
	docker->pool = settings->pool;
	docker->named = xstrdup(reference.registry);
	docker->actions = settings->is_destination ? "pull,push" : "pull";
	docker->places = xcalloc(route.count, sizeof *docker->places);
	for (size_t i = 0; i < route.count; i++)
		docker->places[i].endpoint = &route.endpoints[i];
	docker->at = docker->places;
	docker->route = route;
	route = (struct route){ 0 };
	/* what is wrong with a mirror is no reason to fail: see docker_get_manifest() */
	return docker->route.count > 1 ? 0 : open_place(docker, docker->at, err);
}

static void docker_close(struct transport *t)
{
	struct docker *docker = t->state;

	registry_call_free(&docker->reading);
	registry_call_free(&docker->question);
	for (size_t i = 0; i < docker->route.count; i++)
		registry_close(&docker->places[i].own);
	free(docker->places);
	route_free(&docker->route);
	free(docker->named);
	free(docker->uploads.mount_from);
	json_decref(docker->known);
	free(docker);
}

static char *manifest_path(const struct docker *docker, const char *wanted)
{
	return xasprintf("/v2/%s/manifests/%s", docker->at->registry->repository, wanted);
}

/* ---- source ---- */

static int no_manifest(const struct transport *t, const struct registry_call *call,
		       const char *digest, struct error *err)
{
	if (call->request.status != 404)
		return registry_refused(call, t->name, err);
	if (registry_missing(call, err) < 0)
		return error_subject(err, t->name);
	if (digest)
		error_set(err, ERROR_NOT_FOUND, "%s: manifest %s is not in the registry", t->name,
			  digest);
	else
		error_set(err, ERROR_NOT_FOUND, "no image %s in the registry", t->name);
	return error_subject(err, t->name);
}

/* Ask for a manifest, unless it is what was asked for already. */
static void ask(struct docker *docker, const char *wanted)
{
	struct registry_call *call = &docker->reading;
	char *path = manifest_path(docker, wanted);

	if (call->registry == docker->at->registry && strcmp(call->target, path) == 0) {
		free(path);
		return;
	}
	registry_call_free(call);
	registry_call_init(call, docker->at->registry, "GET", path);
	strings_add(&call->request.headers, "Accept: " MANIFEST_ACCEPT);
	registry_call_start(call);
}

static bool docker_expect_manifest(struct transport *t, const char *digest)
{
	struct docker *docker = t->state;

	/* of a mirror only the answer tells whether it is the one to ask */
	if (!docker->is_settled && docker->route.count > 1)
		return false;
	ask(docker, digest ? digest : docker->at->endpoint->wanted);
	return true;
}

static bool docker_is_answered(struct transport *t)
{
	struct registry_call *call = &((struct docker *)t->state)->reading;
	struct error ignored; /* get_manifest() comes upon it again */

	return !call->registry || registry_call_poll(call, &ignored) != 0;
}

/* The answer to what was asked. */
static int take_manifest(struct transport *t, const char *digest, const char *wanted,
			 struct manifest *manifest, struct error *err)
{
	struct registry_call *call = &((struct docker *)t->state)->reading;

	if (registry_call_wait(call, err) < 0)
		return error_subject(err, t->name);
	if (call->request.status != 200)
		return no_manifest(t, call, digest, err);

	const char *told = http_header(&call->request, "docker-content-digest", 0);
	if (digest_is_valid(wanted))
		told = wanted;
	if (told && !digest_is_valid(told))
		return error_set(err, ERROR_INTEGRITY, "%s: the registry names the digest \"%s\"",
				 t->name, told);
	if (!call->request.answer)
		return error_set(err, ERROR_INTEGRITY, "%s: the manifest is empty", t->name);
	return manifest_parse(steal_ptr(&call->request.answer), call->request.answer_length,
			      http_header(&call->request, "content-type", 0), told, t->name,
			      manifest, err);
}

static void note_digest(struct docker *docker, const json_t *descriptor)
{
	json_object_set_new(docker->known, json_text(descriptor, "digest", ""), json_true());
}

/* A manifest can only be where what it names is; an index may name more. */
static void note_manifest(struct docker *docker, const struct manifest *manifest)
{
	const json_t *layer;
	size_t i;

	json_object_set_new(docker->known, manifest->digest, json_true());
	note_digest(docker, json_object_get(manifest->json, "config"));
	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		note_digest(docker, layer);
	}
}

static int get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
			struct error *err)
{
	struct docker *docker = t->state;
	const char *wanted = digest ? digest : docker->at->endpoint->wanted;

	ask(docker, wanted);
	int status = take_manifest(t, digest, wanted, manifest, err);
	if (status == 0)
		note_manifest(docker, manifest);
	registry_call_free(&docker->reading);
	return status;
}

/* A mirror that is down is not waited for: there is another place to ask. */
static int ask_mirror(struct transport *t, const char *digest, struct manifest *manifest,
		      struct error *err)
{
	struct docker *docker = t->state;

	if (open_place(docker, docker->at, err) < 0)
		return -1;
	int retries = docker->at->registry->retries;
	docker->at->registry->retries = 0;
	int status = get_manifest(t, digest, manifest, err);
	docker->at->registry->retries = retries;
	return status;
}

/* From the first endpoint that can. Where each fails, the last one, which is the registry itself,
 * says why. */
static int docker_get_manifest(struct transport *t, const char *digest, struct manifest *manifest,
			       struct error *err)
{
	struct docker *docker = t->state;

	if (docker->is_settled)
		return get_manifest(t, digest, manifest, err);
	const struct place *last = &docker->places[docker->route.count - 1];
	for (; docker->at < last; docker->at++) {
		if (ask_mirror(t, digest, manifest, err) == 0) {
			docker->is_settled = true;
			return 0;
		}
		if (cli_interrupted())
			return -1;
		log_message(err->kind == ERROR_NOT_FOUND ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
			    "mirror %s: %s", docker->at->endpoint->registry, err->message);
	}
	docker->is_settled = true;
	return open_place(docker, docker->at, err) < 0 ? -1
						       : get_manifest(t, digest, manifest, err);
}

static int docker_open_blob(struct transport *t, const struct blob *blob,
			    struct blob_source *source, struct error *err)
{
	struct docker *docker = t->state;

	(void)err;
	registry_call_init(
		&source->call, docker->at->registry, "GET",
		xasprintf("/v2/%s/blobs/%s", docker->at->registry->repository, blob->digest));
	return 0;
}

/* ---- both ---- */

static bool docker_ask_manifest(struct transport *t)
{
	struct docker *docker = t->state;
	struct registry_call *call = &docker->question;

	/* of a mirror only the manifest tells whether it is the one to ask */
	if (docker->is_tagless || (!docker->is_settled && docker->route.count > 1))
		return false;
	registry_call_init(call, docker->at->registry, "HEAD",
			   manifest_path(docker, docker->at->endpoint->wanted));
	strings_add(&call->request.headers, "Accept: " MANIFEST_ACCEPT);
	call->once = true; /* it only saves other calls, which are made where it fails */
	registry_call_start(call);
	return true;
}

static json_t *docker_told_manifest(struct transport *t)
{
	struct registry_call *call = &((struct docker *)t->state)->question;
	struct error ignored; /* what is wrong shows again where it matters */

	if (!call->registry || registry_call_wait(call, &ignored) < 0 ||
	    call->request.status != 200)
		return NULL;
	const char *digest = http_header(&call->request, "docker-content-digest", 0);
	const char *type = http_header(&call->request, "content-type", 0);
	const char *length = http_header(&call->request, "content-length", 0);
	if (!digest || !digest_is_valid(digest))
		return NULL;
	json_t *descriptor = json_pack("{s:s}", "digest", digest);
	if (type)
		json_object_set_new(descriptor, "mediaType",
				    json_stringn(type, strcspn(type, "; ")));
	if (length)
		json_object_set_new(descriptor, "size", json_integer(strtoll(length, NULL, 10)));
	return descriptor;
}

/* ---- destination ---- */

static int docker_offer_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			     struct error *err)
{
	struct docker *docker = t->state;

	(void)err;
	if (json_object_get(docker->known, blob->digest)) {
		sink->state = SINK_PRESENT;
		return 0;
	}
	docker->uploads.registry = docker->at->registry;
	upload_offer(&docker->uploads, blob, sink);
	return 0;
}

static int docker_poll_sink(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			    struct error *err)
{
	return upload_poll_sink(&((struct docker *)t->state)->uploads, blob, sink, err);
}

static int docker_poll_upload(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			      struct error *err)
{
	return upload_poll(&((struct docker *)t->state)->uploads, blob, sink, err);
}

static int docker_commit_blob(struct transport *t, const struct blob *blob, struct blob_sink *sink,
			      struct error *err)
{
	return upload_commit(blob, sink, t->name, err);
}

static int put_manifest(struct transport *t, const char *wanted, const struct manifest *manifest,
			struct error *err)
{
	struct docker *docker = t->state;
	cleanup_registry_call struct registry_call call = { 0 };

	if (digest_is_valid(wanted) && strcmp(wanted, manifest->digest) != 0)
		return error_set(err, ERROR_USAGE, "%s: the image to copy has the digest %s",
				 t->name, manifest->digest);
	registry_call_init(&call, docker->at->registry, "PUT", manifest_path(docker, wanted));
	strings_addf(&call.request.headers, "Content-Type: %s", manifest->media_type);
	call.request.body = xstrdup(manifest->bytes);
	call.request.body_length = manifest->length;
	if (registry_call_run(&call, err) < 0)
		return error_subject(err, t->name);
	if (call.request.status / 100 != 2)
		return registry_refused(&call, t->name, err);
	const char *digest = http_header(&call.request, "docker-content-digest", 0);
	if (digest && strncmp(digest, "sha256:", 7) == 0 &&
	    strncmp(manifest->digest, "sha256:", 7) == 0 && strcmp(digest, manifest->digest) != 0)
		return error_set(err, ERROR_INTEGRITY, "%s: the registry stored %s instead of %s",
				 t->name, digest, manifest->digest);
	return 0;
}

static int docker_put_manifest(struct transport *t, const struct manifest *manifest, bool is_top,
			       struct error *err)
{
	const struct docker *docker = t->state;
	bool by_tag = is_top && !docker->is_tagless;

	if (!by_tag && json_object_get(docker->known, manifest->digest))
		return 0;
	return put_manifest(t, by_tag ? docker->at->endpoint->wanted : manifest->digest, manifest,
			    err);
}

int docker_get_tagged(struct transport *t, const char *tag, struct manifest *manifest,
		      struct error *err)
{
	return get_manifest(t, tag, manifest, err);
}

int docker_put_tagged(struct transport *t, const char *tag, const struct manifest *manifest,
		      struct error *err)
{
	return put_manifest(t, tag, manifest, err);
}

const struct transport_class transport_docker = {
	.prefix = "docker://",
	.wants_compressed = true,
	.identity = IDENTITY_REFERENCE,
	.open = docker_open,
	.close = docker_close,
	.get_manifest = docker_get_manifest,
	.expect_manifest = docker_expect_manifest,
	.is_answered = docker_is_answered,
	.open_blob = docker_open_blob,
	.ask_manifest = docker_ask_manifest,
	.told_manifest = docker_told_manifest,
	.offer_blob = docker_offer_blob,
	.poll_sink = docker_poll_sink,
	.poll_upload = docker_poll_upload,
	.commit_blob = docker_commit_blob,
	.put_manifest = docker_put_manifest,
	.get_signatures = signature_registry_get,
	.signature_rules = signature_registry_rules,
	.put_signatures = signature_registry_put,
	.companions = &companions_of_registry,
};

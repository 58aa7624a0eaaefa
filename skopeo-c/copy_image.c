/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/copy_image.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/already.h"
#include "skopeo-c/claim.h"
#include "skopeo-c/docker.h"
#include "skopeo-c/http.h"
#include "skopeo-c/image.h"
#include "skopeo-c/referrers.h"
#include "skopeo-c/spool.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"
#include "skopeo-c/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct copy {
	const struct copy_request *request;
	struct http *http; /* NULL where no registry takes part, and nothing is fetched elsewhere */
	struct http *own_http;
	struct transport from, to;
	struct transport converted; /* gives what becomes different; or closed */
	struct plan plan;
	struct image image; /* its config may be on its way: */
	struct blob_source config_source;
	struct trust_image signatures;
	struct already already;
	json_t *field; /* the result */
	char *spool_directory;
	int held_fd; /* the config's bytes */
	bool was_there;
};

static void copy_close(struct copy *copy)
{
	blob_source_close(&copy->config_source);
	transport_close(&copy->to);
	transport_close(&copy->converted);
	transport_close(&copy->from);
	image_free(&copy->image);
	trust_image_free(&copy->signatures);
	plan_free(&copy->plan);
	already_free(&copy->already);
	json_decref(copy->field);
	free(copy->spool_directory);
	http_free(copy->own_http);
	cleanup_fd_p(&copy->held_fd);
}

#define cleanup_copy __attribute__((cleanup(copy_close)))

/* Where blobs are read from. */
static struct transport *source_of(struct copy *copy)
{
	return copy->converted.class ? &copy->converted : &copy->from;
}

/* ---- the two sides ---- */

static int check_referrers(const struct copy_request *request, struct error *err)
{
	const char *names[] = { request->source, request->destination };

	for (int i = 0; request->with_referrers && i < 2; i++) {
		const struct transport_class *class = transport_class_of(names[i]);

		/* what is wrong with the name itself shows when it is opened */
		if (class && !class->companions)
			return error_set(err, ERROR_USAGE,
					 "%s keeps nothing that refers to images: --with-referrers "
					 "is for docker://, oci: and oci-archive:",
					 names[i]);
	}
	return 0;
}

/* Where no manifest is kept, its digest is lost whatever becomes of the layers. */
static int check_preserved(const struct copy_request *request, struct error *err)
{
	const struct transport_class *class = transport_class_of(request->destination);

	if (!request->preserve_digests || !class || !class->makes_manifest)
		return 0;
	return error_set(err, ERROR_FAILED,
			 "%s: no manifest is kept there, whose digest must be preserved",
			 request->destination);
}

static int open_source(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct transport_settings source = {
		.cli = request->cli,
		.http = copy->http,
		.access = *request->source_access,
		.tarball_config = request->tarball_config,
		.blob_dir = request->source_blob_dir,
		.daemon = request->source_daemon,
		.spool_directory = copy->spool_directory,
		.registries_d = request->trust->options->registries_d,
	};

	if (transport_open(&copy->from, request->source, &source, err) < 0)
		return -1;
	return trust_admit(request->trust, &copy->from, err);
}

/* A registry takes its time over the config: meanwhile the layers can come. */
static int begin_config(struct copy *copy, struct error *err)
{
	struct transport *known = &copy->already.transport;
	struct blob_source *source = &copy->config_source;
	struct error ignored;

	if (known->class && image_read(known, copy->plan.image, &copy->image, &ignored) == 0)
		return 0;
	if (image_begin(&copy->from, copy->plan.image, &copy->image, source, err) < 0)
		return -1;
	return blob_source_is_call(source) ? 0 : image_end(&copy->from, &copy->image, source, err);
}

static bool awaits_config(const struct copy *copy)
{
	return copy->image.manifest && !copy->image.config_bytes;
}

static int end_config(struct copy *copy, struct error *err)
{
	return awaits_config(copy) ? image_end(&copy->from, &copy->image, &copy->config_source, err)
				   : 0;
}

/* Something is about to become different. */
static int refuse_changes(const struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct transport_class *class = transport_class_of(request->destination);

	if (request->with_referrers)
		return error_set(err, ERROR_FAILED,
				 "%s: this copy would change digests, to which referrers refer",
				 copy->from.name);
	if (request->preserve_digests)
		return error_set(err, ERROR_FAILED,
				 "%s: this copy would change digests, which must be preserved",
				 copy->from.name);
	if (!copy->signatures.any || (class && class->drops_signatures))
		return 0;
	error_set(err, ERROR_FAILED, "%s: this copy would make the signatures of the image invalid",
		  copy->from.name);
	return error_hint(err, "--remove-signatures leaves them behind");
}

static int read_source(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct plan_known known = already_known(&copy->already);

	if (plan_make(&copy->from, &known, &request->choice, &copy->plan, err) < 0)
		return -1;
	if (copy->plan.is_there)
		return 0;
	if (trust_check(request->trust, &copy->from, &copy->plan, &copy->signatures, err) < 0 ||
	    (copy->from.is_remade && refuse_changes(copy, err) < 0))
		return -1;
	/* of schema 1 the configuration is not made yet */
	return copy->plan.image && !copy->plan.image->is_schema1 ? begin_config(copy, err) : 0;
}

static int open_destination(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct transport_settings destination = {
		.cli = request->cli,
		.http = copy->http,
		.access = *request->destination_access,
		.is_destination = true,
		.reference = copy->from.reference,
		.additional_tags = request->additional_tags,
		.blob_dir = request->destination_blob_dir,
		.daemon = request->destination_daemon,
		.registries_d = request->trust->options->registries_d,
	};

	return transport_open(&copy->to, request->destination, &destination, err);
}

/* The image was found at the destination when it was chosen from an index. Where signatures would
 * come along, it is read after all. */
static int take_chosen(struct copy *copy, struct error *err)
{
	if (already_chosen(&copy->already, copy->request, &copy->from, copy->plan.is_there, err) <
	    0)
		return -1;
	if (copy->already.descriptor)
		return 0;
	plan_free(&copy->plan);
	return read_source(copy, err);
}

/* A registry is asked what it has while the source is. Any other destination is opened when the
 * source has proved to be there, so that a mistake leaves no empty one. */
static int open_both(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct transport_class *class = transport_class_of(request->destination);
	bool is_asked = class && class->ask_manifest;

	if (open_source(copy, err) < 0)
		return -1;
	if (is_asked && (open_destination(copy, err) < 0 ||
			 already_ask(&copy->already, request, &copy->from, &copy->to, err) < 0))
		return -1;
	if (copy->already.descriptor)
		return 0;
	if (!is_asked)
		already_look(&copy->already, request, &copy->from);
	if (read_source(copy, err) < 0)
		return -1;
	if (copy->plan.is_there && take_chosen(copy, err) < 0)
		return -1;
	if (copy->already.descriptor)
		return 0;
	if (request->with_referrers && class && !class->put_signatures)
		trust_image_drop_sigstore(&copy->signatures);
	if (trust_check_destination(request->trust, request->destination, &copy->signatures, err) <
		    0 ||
	    (!is_asked && open_destination(copy, err) < 0))
		return -1;
	docker_allow_mounts(&copy->to, &copy->from);
	return 0;
}

/* What was asked for, and what the two sides need. */
static struct conversion conversion_for(const struct copy *copy)
{
	struct conversion conversion = copy->request->conversion;
	bool is_signed = copy->signatures.any && !copy->from.is_remade;

	/* nobody knows the bytes of a manifest that was made up here, unless it is signed */
	conversion.is_made_up = copy->from.class->makes_manifest;
	if (conversion.is_made_up && conversion.layers == LAYERS_KEPT) {
		bool compress = copy->to.class->wants_compressed &&
				!copy->request->accept_uncompressed && !is_signed;

		conversion.layers = compress ? LAYERS_COMPRESSED : LAYERS_KEPT;
		conversion.recoding.way = compress ? COMPRESSION_GZIP : COMPRESSION_NONE;
	}
	conversion.recoding.directory = copy->spool_directory;
	return conversion;
}

/* Make the plan anew where something has to become different. */
static int convert_plan(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;
	const struct conversion conversion = conversion_for(copy);
	char before[DIGEST_SIZE];

	if (!conversion_changes(&conversion, &copy->plan, false))
		return 0;
	memcpy(before, plan_top(&copy->plan)->digest, sizeof before);
	if ((conversion_changes(&conversion, &copy->plan, true) && refuse_changes(copy, err) < 0) ||
	    end_config(copy, err) < 0 ||
	    convert(&copy->from, &copy->to, &conversion, copy->http, request->parallel, &copy->plan,
		    &copy->converted, err) < 0)
		return -1;
	if (strcmp(plan_top(&copy->plan)->digest, before) != 0 && refuse_changes(copy, err) < 0)
		return -1;
	if (!copy->plan.image)
		return 0;
	if (!copy->image.config_bytes)
		return image_read(&copy->converted, copy->plan.image, &copy->image, err);
	/* the bytes of the configuration stay */
	copy->image.manifest = copy->plan.image;
	return blob_from_json(json_object_get(copy->plan.image->json, "config"), copy->from.name,
			      &copy->image.config_blob, err);
}

static void make_field(struct copy *copy)
{
	const char *name = copy->to.reference ? copy->to.reference : copy->from.reference;

	if (copy->plan.image) {
		copy->field = image_field(&copy->image, name);
		return;
	}
	if (copy->already.descriptor)
		copy->field = json_pack("{s:O}", "descriptor", copy->already.descriptor);
	else /* an index without an image for this platform */
		copy->field = json_pack("{s:o, s:O}", "descriptor",
					manifest_descriptor(plan_top(&copy->plan)), "manifest",
					plan_top(&copy->plan)->json);
	if (name)
		json_object_set_new(copy->field, "name", json_string(name));
}

/* What could not be done before the config had come. */
static int know_image(struct copy *copy, struct error *err)
{
	if (!awaits_config(copy))
		return 0;
	if (end_config(copy, err) < 0)
		return -1;
	make_field(copy);
	return 0;
}

/* ---- the blobs ---- */

/* The config was read for the document: let it not be fetched twice. */
static int hold_config(struct copy *copy, struct error *err)
{
	size_t length = (size_t)copy->image.config_blob.size;

	copy->held_fd = memfd_create("config", MFD_CLOEXEC);
	if (copy->held_fd < 0)
		return error_os(err, "cannot hold the config in memory");
	return file_write_fd(copy->held_fd, copy->image.config_bytes, length, "config", err);
}

/* The configs and layers of all images that are planned, in order. The caller frees it. */
static struct blob *list_blobs(const struct plan *plan, size_t *count)
{
	size_t size = 1;

	for (size_t i = 0; i < plan->count; i++)
		size += 1 + json_array_size(json_object_get(plan->manifests[i].json, "layers"));
	struct blob *blobs = xcalloc(size, sizeof *blobs);
	*count = 0;
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->manifests[i].is_index)
			manifest_add_blobs(&plan->manifests[i], blobs, count);
	return blobs;
}

/* Tell the destination what is coming. */
static int prepare(struct copy *copy, const struct blob *blobs, size_t count, struct error *err)
{
	const struct plan *plan = &copy->plan;
	json_auto_t *digests = json_array();

	if (!copy->to.class->prepare)
		return 0;
	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(digests, json_string(plan->manifests[i].digest));
	for (size_t i = 0; i < count; i++)
		json_array_append_new(digests, json_string(blobs[i].digest));
	return copy->to.class->prepare(&copy->to, digests, plan, err);
}

/* Everything is at the destination already; whoever follows the events still hears of the blobs. */
static int tell_present(struct copy *copy, const struct blob *blobs, size_t count,
			struct error *err)
{
	struct progress *progress = copy->request->progress;

	if (copy->plan.image && progress_image(progress, copy->field, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool told = copy->plan.image &&
			    strcmp(blobs[i].digest, copy->image.config_blob.digest) == 0;

		if (!told &&
		    progress_blob(progress, &blobs[i], BLOB_PRESENT, blobs[i].size, err) < 0)
			return -1;
	}
	return 0;
}

/* Between the layers: once the config is there, and right, so is the image. */
static int poll_config(void *context, int *held_fd, struct error *err)
{
	struct copy *copy = context;

	if (awaits_config(copy) && !blob_source_is_answered(&copy->config_source))
		return 0;
	if (know_image(copy, err) < 0 || hold_config(copy, err) < 0 ||
	    progress_image(copy->request->progress, copy->field, err) < 0)
		return -1;
	*held_fd = copy->held_fd;
	return 0;
}

/* A layout leaves it to who reads it to fetch layers from where they are. */
static int prepare_http(struct copy *copy, const struct blob *blobs, size_t count,
			struct error *err)
{
	for (size_t i = 0; i < count && !copy->http; i++) {
		if (!blob_is_foreign(&blobs[i]))
			continue;
		copy->own_http = http_new(err);
		if (!copy->own_http)
			return -1;
		copy->http = copy->own_http;
	}
	return 0;
}

static int move_blobs(struct copy *copy, const struct blob *blobs, size_t count, struct error *err)
{
	json_auto_t *in_place = json_object();
	struct transfer transfer = {
		.http = copy->http,
		.from = source_of(copy),
		.to = &copy->to,
		.progress = copy->request->progress,
		.held_fd = -1,
		.parallel = copy->to.is_sequential ? 1 : copy->request->parallel,
		.claims_fd = copy->request->claims_fd,
		.in_place = in_place,
	};

	if (copy->plan.image) {
		progress_await_image(copy->request->progress);
		transfer.held_digest = copy->image.config_blob.digest;
		transfer.poll_held = poll_config;
		transfer.held_context = copy;
	}
	return transfer_blobs(&transfer, blobs, count, err);
}

/* ---- everything ---- */

/* That signatures cannot be kept must not show only when everything was sent. */
static int check_signatures(const struct copy *copy, struct error *err)
{
	for (size_t i = 0; i < copy->plan.count; i++)
		if (trust_check_put(copy->request->trust, &copy->to, copy->plan.manifests[i].digest,
				    &copy->signatures, err) < 0)
			return -1;
	return 0;
}

/* The signatures of a manifest are there before it is. */
static int put_signatures(struct copy *copy, size_t number, struct error *err)
{
	const struct plan *plan = &copy->plan;

	return trust_put(copy->request->trust, &copy->to, &plan->manifests[number],
			 number + 1 == plan->count, &copy->signatures, err);
}

/* The image is there already; more signatures may have come. */
static int put_all_signatures(struct copy *copy, struct error *err)
{
	for (size_t i = 0; i < copy->plan.count; i++)
		if (put_signatures(copy, i, err) < 0)
			return -1;
	return 0;
}

static int put_manifest(struct copy *copy, size_t number, struct error *err)
{
	const struct manifest *manifest = &copy->plan.manifests[number];
	bool is_top = number + 1 == copy->plan.count;
	int claims_fd = copy->request->claims_fd;

	if (put_signatures(copy, number, err) < 0)
		return -1;
	if (claims_fd > 0)
		claim_wait(claims_fd, manifest->digest);
	int status = copy->to.class->put_manifest(&copy->to, manifest, is_top, err);
	if (claims_fd > 0)
		claim_release(claims_fd, manifest->digest);
	return status;
}

static int put_manifests(struct copy *copy, struct error *err)
{
	for (size_t i = 0; i < copy->plan.count; i++)
		if (put_manifest(copy, i, err) < 0)
			return -1;
	return 0;
}

/* They are there before the image is, as signatures are. */
static int carry_referrers(struct copy *copy, struct error *err)
{
	const struct copy_request *request = copy->request;

	if (!request->with_referrers)
		return 0;
	return referrers_copy(&copy->from, &copy->to, &copy->plan, copy->http, request->parallel,
			      err);
}

static int copy_everything(struct copy *copy, struct error *err)
{
	size_t count;
	cleanup_free struct blob *blobs = list_blobs(&copy->plan, &count);

	if (prepare(copy, blobs, count, err) < 0)
		return -1;
	copy->was_there = strcmp(already_digest(&copy->already, &copy->to),
				 plan_top(&copy->plan)->digest) == 0;
	if (copy->was_there && (know_image(copy, err) < 0 || carry_referrers(copy, err) < 0))
		return -1;
	if (copy->was_there)
		return put_all_signatures(copy, err) < 0 ? -1
							 : tell_present(copy, blobs, count, err);
	if (check_signatures(copy, err) < 0 || prepare_http(copy, blobs, count, err) < 0 ||
	    move_blobs(copy, blobs, count, err) < 0 || carry_referrers(copy, err) < 0)
		return -1;
	return put_manifests(copy, err);
}

static void take_result(struct copy *copy, struct copy_result *result)
{
	const char *digest = copy->already.descriptor
				     ? json_text(copy->already.descriptor, "digest", "")
				     : plan_top(&copy->plan)->digest;

	snprintf(result->digest, sizeof result->digest, "%s", digest);
	result->field = json_incref(copy->field);
	result->was_there = copy->was_there || copy->already.descriptor;
	result->is_stdout = copy->to.is_stdout;
}

int copy_image(const struct copy_request *request, struct http *http, struct copy_result *result,
	       struct error *err)
{
	cleanup_copy struct copy copy = {
		.request = request, .http = http, .config_source = BLOB_SOURCE_NONE, .held_fd = -1
	};

	copy.spool_directory = spool_directory_for(request->destination, request->cli->root);
	if (check_referrers(request, err) < 0 || check_preserved(request, err) < 0 ||
	    open_both(&copy, err) < 0 || (!copy.already.descriptor && convert_plan(&copy, err) < 0))
		return -1;
	if (!awaits_config(&copy))
		make_field(&copy);
	if (!copy.already.descriptor && copy_everything(&copy, err) < 0)
		return -1;
	take_result(&copy, result);
	return 0;
}

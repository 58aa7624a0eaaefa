/* SPDX-License-Identifier: Apache-2.0 */
/* copy: an image from one place to another, byte for byte. */
#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/image.h"
#include "skopeo-c/plan.h"
#include "skopeo-c/progress.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct copy_settings {
	struct access source, destination, both;
	struct platform_choice platform;
	bool all, quiet, preserve_digests;
	const char *digestfile, *tarball_config;
	long long events;
};

static const struct copy_settings defaults = {
	.source = { .tls_verify = true, .retry_times = -1 },
	.destination = { .tls_verify = true, .retry_times = -1 },
	.both = { .tls_verify = true, .retry_times = -1 },
	.events = -1,
};

#define FIELD(name) offsetof(struct copy_settings, name)

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, FIELD(all), "an index with all its images" },
	{ "override-os", 0, "OS", OPTION_STRING, FIELD(platform.os),
	  "choose from an index for OS, not this machine's" },
	{ "override-arch", 0, "ARCH", OPTION_STRING, FIELD(platform.architecture),
	  "for ARCH, as Go names it" },
	{ "override-variant", 0, "VARIANT", OPTION_STRING, FIELD(platform.variant),
	  "for this variant of the architecture" },
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(both.tls_verify),
	  "insist on https and its certificates (default)" },
	{ "src-tls-verify", 0, NULL, OPTION_FLAG, FIELD(source.tls_verify), "of the source" },
	{ "dest-tls-verify", 0, NULL, OPTION_FLAG, FIELD(destination.tls_verify),
	  "of the destination" },
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(both.authfile),
	  "credentials as containers-auth.json(5) has them" },
	{ "creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(both.creds),
	  "credentials for the only registry" },
	{ "src-creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(source.creds), "for the source" },
	{ "dest-creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(destination.creds),
	  "for the destination" },
	{ "src-no-creds", 0, NULL, OPTION_FLAG, FIELD(source.no_creds),
	  "go to the source without credentials" },
	{ "dest-no-creds", 0, NULL, OPTION_FLAG, FIELD(destination.no_creds),
	  "go to the destination without credentials" },
	{ "cert-dir", 0, "DIR", OPTION_STRING, FIELD(both.cert_dir),
	  "certificates for the only registry" },
	{ "src-cert-dir", 0, "DIR", OPTION_STRING, FIELD(source.cert_dir), "for the source" },
	{ "dest-cert-dir", 0, "DIR", OPTION_STRING, FIELD(destination.cert_dir),
	  "for the destination" },
	{ "retry-times", 0, "N", OPTION_NUMBER, FIELD(both.retry_times),
	  "try again N times after what may pass (default 2)" },
	{ "tarball-config", 0, "FILE", OPTION_STRING, FIELD(tarball_config),
	  "image config to merge, for tarball:" },
	{ "digestfile", 0, "FILE", OPTION_STRING, FIELD(digestfile),
	  "write the digest of the manifest to FILE" },
	{ "preserve-digests", 0, NULL, OPTION_FLAG, FIELD(preserve_digests),
	  "accepted: digests never change here" },
	{ "events", 0, "FD", OPTION_NUMBER, FIELD(events),
	  "tell of the progress in JSON Lines on descriptor FD" },
	{ "quiet", 'q', NULL, OPTION_FLAG, FIELD(quiet), "no progress bars" },
	{ 0 },
};

/* ---- options ---- */

static bool names_registry(const char *name)
{
	return strncmp(name, transport_docker.prefix, strlen(transport_docker.prefix)) == 0;
}

/* Let what was said for both sides count for one. */
static void merge_access(struct access *side, const struct access *both)
{
	side->tls_verify = side->tls_verify && both->tls_verify;
	side->authfile = both->authfile;
	side->retry_times = both->retry_times;
	side->creds = side->creds ? side->creds : both->creds;
	side->cert_dir = side->cert_dir ? side->cert_dir : both->cert_dir;
}

static int check_settings(const struct cli *cli, struct copy_settings *settings, struct error *err)
{
	const struct access *both = &settings->both;
	bool two = names_registry(cli->operands[0]) && names_registry(cli->operands[1]);

	/* a password is not shown to a registry that it was not meant for */
	if (two && both->creds)
		return cli_usage(cli, err, "two registries: use --src-creds and --dest-creds");
	if (two && both->cert_dir)
		return cli_usage(cli, err,
				 "two registries: use --src-cert-dir and --dest-cert-dir");
	if (both->retry_times > 100 || both->retry_times < -1)
		return cli_usage(cli, err, "--retry-times is a number from 0 to 100");
	if (settings->tarball_config && strncmp(cli->operands[0], transport_tarball.prefix,
						strlen(transport_tarball.prefix)) != 0)
		return cli_usage(cli, err, "--tarball-config is for a source tarball:");
	if (settings->events != -1 && (settings->events < 0 || settings->events > 1 << 20 ||
				       fcntl((int)settings->events, F_GETFD) < 0))
		return cli_usage(cli, err, "--events: %lld is not an open descriptor",
				 settings->events);
	merge_access(&settings->source, both);
	merge_access(&settings->destination, both);
	return 0;
}

/* ---- the copy ---- */

struct copy {
	const struct cli *cli;
	const struct copy_settings *settings;
	struct http *http; /* NULL where no registry takes part */
	struct transport from, to;
	struct plan plan;
	struct image image;
	json_t *field; /* the result */
	struct progress progress;
	int held_fd; /* the config's bytes */
};

static void copy_close(struct copy *copy)
{
	transport_close(&copy->to);
	transport_close(&copy->from);
	image_free(&copy->image);
	plan_free(&copy->plan);
	json_decref(copy->field);
	cleanup_fd_p(&copy->held_fd);
	http_free(copy->http);
}

#define cleanup_copy __attribute__((cleanup(copy_close)))

static int open_source(struct copy *copy, struct error *err)
{
	const struct copy_settings *settings = copy->settings;
	const struct transport_settings source = {
		.cli = copy->cli,
		.http = copy->http,
		.access = settings->source,
		.tarball_config = settings->tarball_config,
	};
	json_auto_t *platform = platform_wanted(&settings->platform);

	if (transport_open(&copy->from, copy->cli->operands[0], &source, err) < 0 ||
	    plan_make(&copy->from, settings->all, platform, &copy->plan, err) < 0)
		return -1;
	return copy->plan.image ? image_read(&copy->from, copy->plan.image, &copy->image, err) : 0;
}

/* After the source has proved to be there, so that a mistake leaves no empty destination. */
static int open_destination(struct copy *copy, struct error *err)
{
	const struct transport_settings destination = {
		.cli = copy->cli,
		.http = copy->http,
		.access = copy->settings->destination,
		.is_destination = true,
		.reference = copy->from.reference,
	};

	if (transport_open(&copy->to, copy->cli->operands[1], &destination, err) < 0)
		return -1;
	docker_allow_mounts(&copy->to, &copy->from);
	return 0;
}

static void make_field(struct copy *copy)
{
	const char *name = copy->to.reference ? copy->to.reference : copy->from.reference;

	if (copy->plan.image) {
		copy->field = image_field(&copy->image, name);
		return;
	}
	/* an index without an image for this platform */
	copy->field =
		json_pack("{s:o, s:O}", "descriptor", manifest_descriptor(plan_top(&copy->plan)),
			  "manifest", plan_top(&copy->plan)->json);
	if (name)
		json_object_set_new(copy->field, "name", json_string(name));
}

/* The config was read for the document: let it not be fetched twice. */
static int hold_config(struct copy *copy, struct error *err)
{
	size_t length = (size_t)copy->image.config_blob.size;

	copy->held_fd = memfd_create("config", MFD_CLOEXEC);
	if (copy->held_fd < 0)
		return error_os(err, "cannot hold the config in memory");
	return file_write_fd(copy->held_fd, copy->image.config_bytes, length, "config", err);
}

static void add_descriptors(const struct manifest *manifest, struct blob *blobs, size_t *count)
{
	struct error ignored; /* manifest_parse() has checked them */
	const json_t *layer;
	size_t i;

	blob_from_json(json_object_get(manifest->json, "config"), "", &blobs[(*count)++], &ignored);
	json_array_foreach (json_object_get(manifest->json, "layers"), i, layer) {
		blob_from_json(layer, "", &blobs[(*count)++], &ignored);
	}
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
			add_descriptors(&plan->manifests[i], blobs, count);
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
	return copy->to.class->prepare(&copy->to, digests,
				       plan->image ? plan->image : plan_top(plan), err);
}

/* Everything is at the destination already; whoever follows the events still hears of the blobs. */
static int tell_present(struct copy *copy, const struct blob *blobs, size_t count,
			struct error *err)
{
	if (copy->plan.image && progress_image(&copy->progress, copy->field, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool told = copy->plan.image &&
			    strcmp(blobs[i].digest, copy->image.config_blob.digest) == 0;

		if (!told &&
		    progress_blob(&copy->progress, &blobs[i], BLOB_PRESENT, blobs[i].size, err) < 0)
			return -1;
	}
	return 0;
}

/* First the config of the image, so that it can be told what is coming, then everything else. */
static int move_blobs(struct copy *copy, const struct blob *blobs, size_t count, struct error *err)
{
	json_auto_t *in_place = json_object();
	struct progress silent = { .events_fd = -1 };
	struct transfer transfer = {
		.http = copy->http,
		.from = &copy->from,
		.to = &copy->to,
		.progress = &silent,
		.held_fd = -1,
		.in_place = in_place,
	};

	if (copy->plan.image) {
		if (hold_config(copy, err) < 0)
			return -1;
		transfer.held_fd = copy->held_fd;
		transfer.held_digest = copy->image.config_blob.digest;
		if (transfer_blobs(&transfer, &copy->image.config_blob, 1, err) < 0 ||
		    progress_image(&copy->progress, copy->field, err) < 0)
			return -1;
	}
	transfer.progress = &copy->progress;
	return transfer_blobs(&transfer, blobs, count, err);
}

static int put_manifests(struct copy *copy, struct error *err)
{
	const struct plan *plan = &copy->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (copy->to.class->put_manifest(&copy->to, &plan->manifests[i],
						 i + 1 == plan->count, err) < 0)
			return -1;
	return 0;
}

static int copy_everything(struct copy *copy, struct error *err)
{
	const struct transport_class *class = copy->to.class;
	size_t count;
	cleanup_free struct blob *blobs = list_blobs(&copy->plan, &count);

	if (prepare(copy, blobs, count, err) < 0)
		return -1;
	if (class->has_manifest && class->has_manifest(&copy->to, plan_top(&copy->plan)))
		return tell_present(copy, blobs, count, err);
	if (move_blobs(copy, blobs, count, err) < 0)
		return -1;
	return put_manifests(copy, err);
}

static int write_digest(const struct copy *copy, struct error *err)
{
	const char *path = copy->settings->digestfile, *digest = plan_top(&copy->plan)->digest;

	if (!path)
		return 0;
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_os(err, "%s", path);
	return file_write_fd(fd, digest, strlen(digest), path, err);
}

static int copy_run(const struct cli *cli, struct error *err)
{
	struct copy_settings *settings = cli->settings;
	cleanup_copy struct copy copy = { .cli = cli, .settings = settings, .held_fd = -1 };
	json_auto_t *document = json_object();

	if (check_settings(cli, settings, err) < 0)
		return -1;
	copy.progress.events_fd = (int)settings->events;
	copy.progress.bars = !settings->quiet && isatty(STDERR_FILENO);
	if (names_registry(cli->operands[0]) || names_registry(cli->operands[1])) {
		copy.http = http_new(err);
		if (!copy.http)
			return -1;
	}
	/* a reader of the events that goes away must not keep us from cleaning up */
	signal(SIGPIPE, SIG_IGN);
	if (open_source(&copy, err) < 0 || open_destination(&copy, err) < 0)
		return -1;
	make_field(&copy);
	int status = copy_everything(&copy, err);
	progress_end(&copy.progress);
	signal(SIGPIPE, SIG_DFL);
	if (status < 0)
		return err->os == EPIPE && settings->events >= 0 ? 128 + SIGPIPE : -1;
	if (write_digest(&copy, err) < 0)
		return -1;
	/* printing may kill us, when nobody reads: then nothing of the copy is unfinished any more
	 */
	transport_close(&copy.to);
	return document_finish(cli, document, "image", copy.field, err);
}

const struct cli_command copy_command = {
	.name = "copy",
	.operands = "SOURCE DESTINATION",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "copy an image, byte for byte",
	.details = "SOURCE and DESTINATION are docker://NAME, oci:PATH[:REF], dir:PATH or\n"
		   "store:[NAME]; SOURCE may also be tarball:PATH[:PATH...], one layer each,\n"
		   "\"-\" for standard input.",
	.options = options,
	.settings_size = sizeof(struct copy_settings),
	.defaults = &defaults,
	.run = copy_run,
};

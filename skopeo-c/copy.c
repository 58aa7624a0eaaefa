/* SPDX-License-Identifier: Apache-2.0 */
/* copy: an image from one place to another, byte for byte unless something else is asked for. */
#include "lib/document.h"
#include "lib/memory.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/copy_options.h"
#include "skopeo-c/http.h"
#include "skopeo-c/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct copy_settings {
	struct copy_options copy;
	struct strings additional_tags;
	const char *tarball_config, *source_blob_dir, *destination_blob_dir, *source_daemon,
		*destination_daemon;
	struct strings encryption; /* what would be about it */
	bool strip;		   /* as is done without it, unless digests are preserved */
	long long events;
};

static const struct copy_settings defaults = { .copy = COPY_OPTIONS_DEFAULTS, .events = -1 };

#define FIELD(name) offsetof(struct copy_settings, name)

static const struct cli_option options[] = {
	COPY_OPTIONS,
	{ "src-daemon-host", 0, "HOST", OPTION_STRING, FIELD(source_daemon),
	  "address of a source docker-daemon:, unix://PATH" },
	{ "dest-daemon-host", 0, "HOST", OPTION_STRING, FIELD(destination_daemon),
	  "address of a destination docker-daemon:" },
	{ "additional-tag", 0, "NAME:TAG", OPTION_LIST, FIELD(additional_tags),
	  "additional name in docker-archive: (may be repeated)" },
	{ "src-shared-blob-dir", 0, "DIR", OPTION_STRING, FIELD(source_blob_dir),
	  "directory with the blobs of a source oci:" },
	{ "dest-shared-blob-dir", 0, "DIR", OPTION_STRING, FIELD(destination_blob_dir),
	  "directory for the blobs of a destination oci:" },
	{ "dest-oci-accept-uncompressed-layers", 0, NULL, OPTION_FLAG,
	  FIELD(copy.accept_uncompressed),
	  "leave uncompressed layers uncompressed in an oci: layout" },
	{ "src-first-authfile", 0, "FILE", OPTION_STRING, FIELD(copy.source.first_authfile),
	  "credentials file for the source, read before all others" },
	{ "dest-precompute-digests", 0, NULL, OPTION_FLAG, FIELD(copy.always),
	  "accepted for compatibility: existing blobs are never sent" },
	{ "strip-removed-platforms", 0, NULL, OPTION_FLAG, FIELD(strip),
	  "accepted for compatibility: an index lists only what is copied" },
	{ "encryption-key", 0, "KEY", OPTION_LIST, FIELD(encryption), NULL },
	{ "decryption-key", 0, "KEY", OPTION_LIST, FIELD(encryption), NULL },
	{ "encrypt-layer", 0, "N", OPTION_LIST, FIELD(encryption), NULL },
	{ "tarball-config", 0, "FILE", OPTION_STRING, FIELD(tarball_config),
	  "image configuration to merge, for tarball:" },
	{ "events", 0, "FD", OPTION_NUMBER, FIELD(events),
	  "report progress as JSON Lines on descriptor FD" },
	{ 0 },
};

static bool begins_with(const char *name, const struct transport_class *class)
{
	return strncmp(name, class->prefix, strlen(class->prefix)) == 0;
}

/* Who reads an archive of docker save makes Docker's manifest of it. */
static int check_format(const struct cli *cli, const char *format, struct error *err)
{
	const struct transport_class *class = transport_class_of(cli->operands[1]);

	if (!format || strcmp(format, "oci") != 0 || !class->makes_manifest)
		return 0;
	return cli_usage(cli, err, "%s keeps no manifests, and so none of OCI's", class->prefix);
}

static int check_settings(const struct cli *cli, const struct copy_settings *settings,
			  struct error *err)
{
	const char *source = cli->operands[0], *destination = cli->operands[1];

	if (transport_check_destination(destination, err) < 0)
		return -1;
	if (check_format(cli, settings->copy.format, err) < 0)
		return -1;
	if (settings->encryption.count > 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "encrypted layers are copied as they are: they are neither "
				 "encrypted nor decrypted here");
	if (settings->strip && settings->copy.preserve_digests)
		return cli_usage(cli, err,
				 "--strip-removed-platforms and --preserve-digests exclude each "
				 "other");
	if (settings->copy.accept_uncompressed && !begins_with(destination, &transport_oci))
		return cli_usage(cli, err,
				 "--dest-oci-accept-uncompressed-layers is for a destination oci:");
	if (settings->tarball_config && !begins_with(source, &transport_tarball))
		return cli_usage(cli, err, "--tarball-config is for a source tarball:");
	if (settings->source_blob_dir && !begins_with(source, &transport_oci))
		return cli_usage(cli, err, "--src-shared-blob-dir is for a source oci:");
	if (settings->destination_blob_dir && !begins_with(destination, &transport_oci))
		return cli_usage(cli, err, "--dest-shared-blob-dir is for a destination oci:");
	if (settings->additional_tags.count > 0 &&
	    !begins_with(destination, &transport_docker_archive))
		return cli_usage(cli, err, "--additional-tag is for a destination docker-archive:");
	if (settings->events != -1 && (settings->events < 0 || settings->events > 1 << 20 ||
				       fcntl((int)settings->events, F_GETFD) < 0))
		return cli_usage(cli, err, "--events: %lld is not an open descriptor",
				 settings->events);
	return 0;
}

/* With --quiet skopeo prints nothing, and scripts count on it; but skopeo has no store: and no
 * events, whose readers wait for the document. */
static bool is_silent(const struct cli *cli, const struct copy_settings *settings)
{
	return settings->copy.quiet && settings->events < 0 &&
	       !begins_with(cli->operands[1], &transport_store);
}

static int copy_run(const struct cli *cli, struct error *err)
{
	struct copy_settings *settings = cli->settings;
	bool from_registry = transport_names_registry(cli->operands[0]);
	bool to_registry = transport_names_registry(cli->operands[1]);
	struct progress progress = { .events_fd = (int)settings->events };
	struct copy_request request = {
		.source = cli->operands[0],
		.destination = cli->operands[1],
		.tarball_config = settings->tarball_config,
		.additional_tags = &settings->additional_tags,
		.source_blob_dir = settings->source_blob_dir,
		.destination_blob_dir = settings->destination_blob_dir,
		.source_daemon = settings->source_daemon,
		.destination_daemon = settings->destination_daemon,
		.progress = &progress,
	};
	cleanup_http struct http *http = NULL;
	cleanup_trust struct trust trust = { 0 };
	struct copy_result result = { 0 };

	if (check_settings(cli, settings, err) < 0 ||
	    copy_options_apply(cli, &settings->copy, from_registry, to_registry, &request, err) <
		    0 ||
	    trust_open(&settings->copy.trust, &trust, err) < 0)
		return -1;
	request.trust = &trust;
	progress.bars = !settings->copy.quiet && isatty(STDERR_FILENO);
	if ((from_registry || to_registry) && !(http = http_new(err)))
		return -1;
	/* a reader of the events that goes away must not keep us from cleaning up */
	signal(SIGPIPE, SIG_IGN);
	int status = copy_image(&request, http, &result, err);
	progress_end(&progress);
	signal(SIGPIPE, SIG_DFL);
	if (status < 0)
		return err->os == EPIPE && settings->events >= 0 ? 128 + SIGPIPE : -1;
	json_auto_t *field = result.field, *document = json_object();
	if (copy_write_digests(settings->copy.digestfile, result.digest, err) < 0)
		return -1;
	if (result.is_stdout || is_silent(cli, settings))
		return 0;
	return document_finish(cli, document, "image", field, err);
}

const struct cli_command copy_command = {
	.name = "copy",
	.operands = "SOURCE DESTINATION",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "copy an image, byte for byte unless told otherwise",
	.details = "SOURCE and DESTINATION are docker://NAME, oci:PATH[:REF], dir:PATH,\n"
		   "oci-archive:PATH[:REF], docker-archive:PATH[:NAME], docker-daemon:NAME or\n"
		   "store:[NAME]. SOURCE can also be containers-storage:NAME, or\n"
		   "tarball:PATH[:PATH...] with one layer each. \"-\" as the PATH of an archive "
		   "means\n"
		   "standard input or output.",
	.options = options,
	.settings_size = sizeof(struct copy_settings),
	.defaults = &defaults,
	.offer = transport_offer,
	.run = copy_run,
};

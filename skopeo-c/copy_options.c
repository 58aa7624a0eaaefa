/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/copy_options.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/duration.h"
#include "lib/file.h"
#include "skopeo-c/transfer.h"
#include "skopeo-c/zstd_stream.h"

#include <fcntl.h>
#include <string.h>

enum { RETRIES_MAX = 100, GZIP_LEVEL_MAX = 9 };

/* Let what was said for both sides count for one. */
static void merge_access(struct access *side, const struct access *both)
{
	if (side->tls_verify == TLS_AS_CONFIGURED)
		side->tls_verify = both->tls_verify;
	side->authfile = side->authfile ? side->authfile : both->authfile;
	side->retry_times = both->retry_times;
	side->retry_delay = both->retry_delay;
	side->creds = side->creds ? side->creds : both->creds;
	side->cert_dir = side->cert_dir ? side->cert_dir : both->cert_dir;
}

static int check_access(const struct cli *cli, struct copy_options *options, bool two,
			struct error *err)
{
	const struct access *both = &options->both;

	/* a password is not shown to a registry that it was not meant for */
	if (two && both->creds)
		return cli_usage(cli, err, "two registries: use --src-creds and --dest-creds");
	if (two && both->cert_dir)
		return cli_usage(cli, err,
				 "two registries: use --src-cert-dir and --dest-cert-dir");
	if (both->retry_times > RETRIES_MAX || both->retry_times < -1)
		return cli_usage(cli, err, "--retry-times is a number from 0 to %d", RETRIES_MAX);
	if (both->retry_delay && duration_parse(both->retry_delay, DURATION_MAX_MS) < 0)
		return cli_usage(cli, err, "--retry-delay is a time such as 90s");
	merge_access(&options->source, both);
	merge_access(&options->destination, both);
	return 0;
}

static int choose_images(const struct cli *cli, const struct copy_options *options,
			 struct plan_choice *choice, struct error *err)
{
	const char *which = options->multi_arch;
	json_auto_t *platform = platform_wanted(&options->platform, err);

	if (!platform)
		return -1;
	choice->platform = options->platform;
	choice->which = options->all ? PLAN_ALL : PLAN_SYSTEM;
	choice->keep_index = options->preserve_digests;
	if (!which)
		return 0;
	if (options->all)
		return cli_usage(cli, err, "--all and --multi-arch exclude each other");
	if (strcmp(which, "system") == 0) {
		choice->which = PLAN_SYSTEM;
	} else if (strcmp(which, "all") == 0) {
		choice->which = PLAN_ALL;
	} else if (strcmp(which, "index-only") == 0) {
		choice->which = PLAN_INDEX_ONLY;
	} else if (strchr(which, '/')) {
		choice->which = PLAN_LISTED;
		choice->platforms = which;
	} else {
		return cli_usage(cli, err,
				 "--multi-arch is system, all, index-only, or a list of platforms "
				 "such as linux/amd64,linux/arm64");
	}
	return 0;
}

static int choose_format(const struct cli *cli, const char *format, const char **type,
			 struct error *err)
{
	*type = NULL;
	if (!format)
		return 0;
	if (strcmp(format, "v2s1") == 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "Docker's schema 1 can be read but not written");
	if (strcmp(format, "oci") == 0)
		*type = MANIFEST_OCI;
	else if (strcmp(format, "v2s2") == 0)
		*type = MANIFEST_DOCKER;
	else
		return cli_usage(cli, err, "--format is oci or v2s2");
	return 0;
}

static int check_level(const struct cli *cli, const struct copy_options *options,
		       enum compression way, struct error *err)
{
	int max = way == COMPRESSION_ZSTD ? ZSTD_LEVEL_MAX : GZIP_LEVEL_MAX;

	if (options->compress_level < 0 || options->compress_level > max)
		return cli_usage(cli, err, "--dest-compress-level is a number from 1 to %d", max);
	if (options->compress_level && !options->compress && !options->compress_format)
		return cli_usage(cli, err,
				 "--dest-compress-level needs --dest-compress-format or "
				 "--dest-compress");
	return 0;
}

static int choose_compression(const struct cli *cli, const struct copy_options *options,
			      struct conversion *conversion, struct error *err)
{
	const char *name = options->compress_format;
	int way = name ? compression_from_name(name) : COMPRESSION_GZIP;

	if (options->decompress && (options->compress || name))
		return cli_usage(cli, err, "layers are either compressed or decompressed");
	if (name && strcmp(name, "zstd:chunked") == 0)
		return error_set(err, ERROR_UNSUPPORTED,
				 "zstd:chunked can be read but not written: use zstd");
	if (way < 0)
		return cli_usage(cli, err, "--dest-compress-format is gzip or zstd");
	if (check_level(cli, options, (enum compression)way, err) < 0)
		return -1;
	if (options->decompress)
		way = COMPRESSION_NONE;
	conversion->layers = options->decompress || name ? LAYERS_RECODED
			     : options->compress	 ? LAYERS_COMPRESSED
							 : LAYERS_KEPT;
	conversion->recoding.way = (enum compression)way;
	conversion->recoding.level = (int)options->compress_level;
	return 0;
}

int copy_options_apply(const struct cli *cli, struct copy_options *options, bool source,
		       bool destination, struct copy_request *request, struct error *err)
{
	struct conversion *conversion = &request->conversion;

	if (check_access(cli, options, source && destination, err) < 0 ||
	    choose_images(cli, options, &request->choice, err) < 0 ||
	    choose_format(cli, options->format, &conversion->format, err) < 0 ||
	    choose_compression(cli, options, conversion, err) < 0)
		return -1;
	if (options->parallel < 0 || options->parallel > TRANSFER_PARALLEL_MAX)
		return cli_usage(cli, err, "--image-parallel-copies is a number from 1 to %d",
				 TRANSFER_PARALLEL_MAX);
	if (options->with_referrers + options->trust.remove_signatures +
		    options->trust.remove_list_signatures >
	    1)
		return cli_usage(cli, err,
				 "--with-referrers, --remove-signatures and "
				 "--remove-list-signatures exclude each other");
	/* Docker has no media type for it */
	if (conversion->layers != LAYERS_KEPT && conversion->recoding.way == COMPRESSION_ZSTD) {
		if (conversion->format && strcmp(conversion->format, MANIFEST_DOCKER) == 0)
			return cli_usage(cli, err, "Docker's manifests have no zstd");
		conversion->format = MANIFEST_OCI;
	}
	request->cli = cli;
	request->source_access = &options->source;
	request->destination_access = &options->destination;
	request->preserve_digests = options->preserve_digests;
	request->accept_uncompressed = options->accept_uncompressed;
	request->with_referrers = options->with_referrers;
	request->parallel = (size_t)options->parallel;
	return 0;
}

int copy_write_digests(const char *path, const char *text, struct error *err)
{
	if (!path)
		return 0;
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_os(err, "%s", path);
	return file_write_fd(fd, text, strlen(text), path, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The options that copy and sync have in common. */
#pragma once
#include "skopeo-c/copy_image.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/trust.h"

struct cli;

/* The field `copy` of a command's settings; the strings are borrowed from argv. */
struct copy_options {
	struct access source, destination, both;
	struct platform_choice platform;
	struct trust_options trust;
	bool all, quiet, preserve_digests, with_referrers;
	bool compress, decompress, accept_uncompressed;
	bool always; /* what skopeo must be told to do is done anyway */
	const char *digestfile, *multi_arch, *format, *compress_format;
	long long compress_level, parallel;
};

#define COPY_OPTIONS_DEFAULTS                                                                      \
	{                                                                                          \
		.source = ACCESS_DEFAULTS, .destination = ACCESS_DEFAULTS, .both = ACCESS_DEFAULTS \
	}

/* FIELD() is the command's own offsetof. */
/* clang-format off */
#define COPY_SIDE_OPTIONS(prefix, side, of_it) \
	{ prefix "-tls-verify", 0, NULL, OPTION_FLAG, FIELD(copy.side.tls_verify), of_it }, \
	{ prefix "-authfile", 0, "FILE", OPTION_STRING, FIELD(copy.side.authfile), of_it }, \
	{ prefix "-creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(copy.side.creds), of_it }, \
	{ prefix "-username", 0, "USER", OPTION_STRING, FIELD(copy.side.user), of_it }, \
	{ prefix "-password", 0, "PASSWORD", OPTION_STRING, FIELD(copy.side.password), of_it }, \
	{ prefix "-registry-token", 0, "TOKEN", OPTION_STRING, \
	  FIELD(copy.side.registry_token), of_it }, \
	{ prefix "-no-creds", 0, NULL, OPTION_FLAG, FIELD(copy.side.no_creds), of_it }, \
	{ prefix "-cert-dir", 0, "DIR", OPTION_STRING, FIELD(copy.side.cert_dir), of_it }

#define COPY_OPTIONS \
	{ "all", 'a', NULL, OPTION_FLAG, FIELD(copy.all), "copy an index with all its images" }, \
	{ "multi-arch", 0, "system|all|index-only|OS/ARCH,...", OPTION_STRING, FIELD(copy.multi_arch), \
	  "which images of an index to copy" }, \
	PLATFORM_OPTIONS(copy.platform), \
	{ "format", 'f', "oci|v2s2", OPTION_STRING, FIELD(copy.format), \
	  "convert manifests to this format (default: keep)" }, \
	{ "dest-compress", 0, NULL, OPTION_FLAG, FIELD(copy.compress), \
	  "compress uncompressed layers" }, \
	{ "dest-decompress", 0, NULL, OPTION_FLAG, FIELD(copy.decompress), \
	  "decompress all layers" }, \
	{ "dest-compress-format", 0, "gzip|zstd", OPTION_STRING, FIELD(copy.compress_format), \
	  "compress all layers in this format" }, \
	{ "dest-compress-level", 0, "N", OPTION_NUMBER, FIELD(copy.compress_level), \
	  "from 1 (fast) to 9 (gzip) or 20 (zstd)" }, \
	{ "dest-force-compress-format", 0, NULL, OPTION_FLAG, FIELD(copy.always), \
	  "accepted for compatibility: layers in other formats are never reused" }, \
	{ "preserve-digests", 0, NULL, OPTION_FLAG, FIELD(copy.preserve_digests), \
	  "fail rather than change a digest" }, \
	{ "with-referrers", 0, NULL, OPTION_FLAG, FIELD(copy.with_referrers), \
	  "also copy signatures, attestations, SBOMs and other referrers" }, \
	{ "digestfile", 0, "FILE", OPTION_STRING, FIELD(copy.digestfile), \
	  "write the digest of what was copied to FILE" }, \
	{ "image-parallel-copies", 0, "N", OPTION_NUMBER, FIELD(copy.parallel), \
	  "number of blobs copied at a time (default 6)" }, \
	{ "tls-verify", 0, NULL, OPTION_FLAG, FIELD(copy.both.tls_verify), \
	  "require https and valid certificates (default)" }, \
	{ "authfile", 0, "FILE", OPTION_STRING, FIELD(copy.both.authfile), \
	  "credentials file, see containers-auth.json(5)" }, \
	{ "creds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(copy.both.creds), \
	  "credentials for the only registry" }, \
	{ "cert-dir", 0, "DIR", OPTION_STRING, FIELD(copy.both.cert_dir), \
	  "certificates for the only registry" }, \
	COPY_SIDE_OPTIONS("src", source, "for the source"), \
	COPY_SIDE_OPTIONS("dest", destination, "for the destination"), \
	{ "screds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(copy.source.creds), NULL }, \
	{ "dcreds", 0, "USER:PASSWORD", OPTION_STRING, FIELD(copy.destination.creds), NULL }, \
	RETRY_OPTIONS(copy.both), \
	TRUST_OPTIONS, \
	{ "quiet", 'q', NULL, OPTION_FLAG, FIELD(copy.quiet), \
	  "no progress bars; copy prints no document, except for store:" }
/* clang-format on */

/* Check the options and put what they say into the request; what was said for both sides is merged
 * into each. source, destination: whether it is a registry. */
int copy_options_apply(const struct cli *cli, struct copy_options *options, bool source,
		       bool destination, struct copy_request *request, struct error *err);

/* Write the file of --digestfile; path: NULL for none. */
int copy_write_digests(const char *path, const char *text, struct error *err);

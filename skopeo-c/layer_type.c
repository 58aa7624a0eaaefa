/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/layer_type.h"

#include <stddef.h>
#include <string.h>

static const struct row {
	struct layer_type type;
	const char *oci, *docker;
} rows[] = {
	{ { false, COMPRESSION_NONE },
	  "application/vnd.oci.image.layer.v1.tar",
	  "application/vnd.docker.image.rootfs.diff.tar" },
	{ { false, COMPRESSION_GZIP },
	  "application/vnd.oci.image.layer.v1.tar+gzip",
	  "application/vnd.docker.image.rootfs.diff.tar.gzip" },
	{ { false, COMPRESSION_ZSTD }, "application/vnd.oci.image.layer.v1.tar+zstd", NULL },
	{ { true, COMPRESSION_NONE },
	  "application/vnd.oci.image.layer.nondistributable.v1.tar",
	  "application/vnd.docker.image.rootfs.foreign.diff.tar" },
	{ { true, COMPRESSION_GZIP },
	  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
	  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
	{ { true, COMPRESSION_ZSTD },
	  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
	  NULL },
	/* no specification has these, but they follow from what it says of others */
	{ { false, COMPRESSION_BZIP2 }, "application/vnd.oci.image.layer.v1.tar+bzip2", NULL },
	{ { false, COMPRESSION_XZ }, "application/vnd.oci.image.layer.v1.tar+xz", NULL },
};

enum { ROWS = sizeof rows / sizeof *rows };

bool layer_type_parse(const char *media_type, struct layer_type *type)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].oci, media_type) != 0 &&
		    (!rows[i].docker || strcmp(rows[i].docker, media_type) != 0))
			continue;
		*type = rows[i].type;
		return true;
	}
	return false;
}

const char *layer_type_name(const struct layer_type *type, bool is_docker)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].type.is_foreign == type->is_foreign && rows[i].type.way == type->way)
			return is_docker ? rows[i].docker : rows[i].oci;
	return NULL;
}

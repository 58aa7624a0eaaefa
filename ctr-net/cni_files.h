/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that hold network configurations, read as libcni reads /etc/cni/net.d. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>

#define CNI_CONF_DIR_DEFAULT "/etc/cni/net.d"

enum { CONFIG_FILE_MAX = 1 << 20 }; /* bytes */

/* The files in the directory's folder named after the network whose plugins belong to it too (SPEC
 * 1.1, section 1); none where the configuration wants none. */
int cni_files_of_plugins(const char *directory, const json_t *config, struct strings *files,
			 struct error *err);

/* The configuration of the network `name`, or for NULL the default one: the first by file name
 * (of .conflist, .conf and .json) in the first directory that has any. A name is looked for in the
 * .conflist files of a directory first. Files that are malformed are passed over with a warning.
 * ERROR_NOT_FOUND. The caller owns it. */
json_t *cni_files_find(const struct strings *dirs, const char *name, struct error *err);

/* The configurations of all networks in that order, without those that another of the same name
 * hides. The caller owns the array. */
json_t *cni_files_all(const struct strings *dirs, struct error *err);

/* All files in that order: [{name, file, cniVersion, plugins: [type…], capabilities: […],
 * default: bool}]. The caller owns it. */
json_t *cni_files_list(const struct strings *dirs, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of a configuration, as the options of generate name them, and what comes of them. */
#pragma once
#include "lib/cli.h"
#include "oci-gen/options.h"

#include <jansson.h>

struct generation;

/* What the options say. */
struct assembly {
	const char *document, *template, *os, *image;
	struct strings patches;
	bool no_document;
	struct option_slot slots[OPTIONS_MAX];
};

enum { ASSEMBLY_OWN_OPTIONS = 6, ASSEMBLY_OPTIONS_MAX = ASSEMBLY_OWN_OPTIONS + OPTIONS_MAX };

/* Append the options that fill a struct assembly at `offset` of the settings; returns how many. */
size_t assembly_fill(struct cli_option *options, size_t offset);

/* The document, where there is one: asked for, or given on standard input when nothing else says
 * what to start from. *document stays NULL otherwise; the caller owns it. */
int assembly_read_document(const struct cli *cli, const struct assembly *assembly,
			   json_t **document, struct error *err);

/* Apply all sources, in their order (generation.h), and finish and check what results: ERROR_USAGE
 * where that is wrong, because options may not fit each other or what was read; ERROR_INTEGRITY
 * where nothing but what was read has a part in it. The document may be NULL; command is what
 * stands behind the options, ending with NULL. */
int assembly_make(const struct cli *cli, const struct assembly *assembly, const json_t *document,
		  char **command, struct generation *g, struct error *err);

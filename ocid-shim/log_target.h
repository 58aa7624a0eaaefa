/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's output is recorded: a file, the journal, both, or nowhere. */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <stdbool.h>

struct cli;

/* What the command line says. */
struct log_settings {
	struct strings drivers; /* of --log-driver; empty: a file */
	const char *path, *tag, *namespace;
	long long size_max;  /* bytes; -1: any number */
	long long files_max; /* rotated files that are kept */
};

struct log_target {
	char *path;    /* of the file, absolute; NULL: none */
	bool owned;    /* it is the bundle's own and goes with the container */
	char *journal; /* the journal's socket; NULL: none */
	char *fields;  /* what each record in the journal says, lines of KEY=VALUE */
	long long size_max, files_max; /* size_max 0: any number */
};

/* By the command line, else where the CRI's client wants it, else the bundle's own file. */
int log_target_choose(const struct cli *cli, const struct log_settings *settings,
		      const json_t *document, const char *id, const char *bundle,
		      struct log_target *target, struct error *err);
void log_target_free(struct log_target *target);

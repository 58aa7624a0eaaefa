/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each leaf of a configuration came from: after each source, the configuration is finished as
 * if it were the last, and what changed is that source's. Only explain pays for it.
 */
#pragma once
#include <jansson.h>

struct generation;

struct trace {
	json_t *leaves;	  /* path → {pointer, value, origin} */
	const char *root; /* the root file system in the end, for looking up users; or NULL */
};

/* A source has been applied; nothing happens unless g has a trace. */
void trace_stage(const struct generation *g, const char *origin);

/* The configuration is finished, and further stages change it itself. What the end brought is the
 * origin's. */
void trace_finish(struct generation *g, const char *origin);

/* Compare with a whole configuration. */
void trace_config(struct trace *trace, const json_t *config, const char *origin);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of generate that change the configuration: one table, a row per option, each with
 * the function that applies it. Rows are applied in the order of the table, so the order on the
 * command line matters only between uses of one option.
 */
#pragma once
#include "lib/cli.h"

#include <stdbool.h>

struct generation;

enum { OPTIONS_MAX = 192 };

/* What the command line says for one row. */
struct option_slot {
	const char *text;
	struct strings list;
	bool flag;
};

/* Append the rows to `options`, filling slots that begin at `offset` of the settings. Returns the
 * number of rows. */
size_t options_fill(struct cli_option *options, size_t offset);

/* True when an option that sets the member at `pointer` was given. */
bool options_given(const struct option_slot *slots, const char *pointer);

/* The text that was given for the member at `pointer`, or NULL. */
const char *options_text(const struct option_slot *slots, const char *pointer);

/* True when any was given. */
bool options_any(const struct option_slot *slots);

/* Apply what was given. */
int options_apply(struct generation *g, const struct option_slot *slots, struct error *err);

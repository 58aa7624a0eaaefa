/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs that take several names try each, whatever comes of those before, as rm(1) does. Each
 * failure is told, the last one as the verb's own error. The exit status is that of the failures,
 * or ERROR_FAILED where they differ.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct cli;

/* Only `cli` is not zero at the beginning. */
struct failures {
	const struct cli *cli;
	size_t count;
	enum error_kind kind; /* of all so far */
	struct error last;
};

void failures_add(struct failures *failures, const struct error *err);

/* False once a signal has asked the tool to end; that is a failure for what was still to be done.
 */
bool failures_go_on(struct failures *failures);

/* 0 where there were none, else -1. */
int failures_end(const struct failures *failures, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs that take several names try each, whatever comes of those before, as rm(1) does. Each
 * failure is told: the last one as the verb's error, those before it on lines of their own. The
 * exit status is that of the failures, or ERROR_FAILED where they differ.
 */
#pragma once
#include "lib/error.h"

#include <stddef.h>

/* Zero-initialise it. */
struct failures {
	size_t count;
	enum error_kind kind; /* of all so far */
	struct error last;
};

void failures_add(struct failures *failures, const struct error *err);

/* 0 where there were none, else -1. */
int failures_end(const struct failures *failures, struct error *err);

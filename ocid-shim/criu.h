/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU, by which runtimes checkpoint and restore. */
#pragma once
#include "lib/error.h"

/* Have it check by itself whether it can work here. ERROR_UNSUPPORTED with its own words where it
 * cannot, or where it is not there. */
int criu_check(struct error *err);

/* Remove the log of that name, so that what it says then is of this attempt. */
void criu_forget(const char *directory, const char *log);

/* Put the last error that CRIU has written to the log of that name, where there is one, before the
 * runtime's, and hint at the log. Returns -1. */
int criu_explain(const char *directory, const char *log, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU, by which runtimes checkpoint and restore. */
#pragma once
#include "lib/error.h"

/* Have it check by itself whether it can work here. ERROR_UNSUPPORTED with its own words where it
 * cannot, or where it is not there. */
int criu_check(struct error *err);

/* The last error that CRIU has written to dump.log in the directory; NULL where there is none. The
 * caller frees it. */
char *criu_last_error(const char *directory);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "lib/error.h"

/* Open a container's log for appending, by its absolute path; it and its directory are made where
 * they are not there. ERROR_USAGE for what is no file. The descriptor is the caller's. */
int log_file_open(const char *path, struct error *err);

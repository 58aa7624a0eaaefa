/* SPDX-License-Identifier: Apache-2.0 */
/* Shared libraries that only some verbs need, loaded when they are needed: what they, and the
 * libraries beneath them, cost at start-up is not paid by the others. */
#pragma once
#include "lib/error.h"

/* Load `file` ("libyaml-0.so.2") and fill `functions`, a struct of nothing but pointers to the
 * functions that `symbols` names in this order, up to NULL. `purpose` begins the error where there
 * is no such library: "registries need libcurl". It stays until the end of the process. */
int library_load(const char *file, const char *purpose, const char *const *symbols, void *functions,
		 struct error *err);

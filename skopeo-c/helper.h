/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that keep credentials: docker-credential-NAME, which are told what to do by an argument
 * and for which registry on standard input (docker-credential-helpers). */
#pragma once
#include "lib/error.h"

struct credentials;

/* 1 with credentials; 0 when the helper has none. ERROR_NOT_FOUND where there is no such helper. */
int helper_get(const char *name, const char *registry, struct credentials *credentials,
	       struct error *err);
int helper_store(const char *name, const char *registry, const struct credentials *credentials,
		 struct error *err);
/* 1 when they are gone; 0 when the helper had none. */
int helper_erase(const char *name, const char *registry, struct error *err);

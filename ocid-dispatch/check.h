/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a configuration beside its form: what it names is not there, or no use. */
#pragma once
#include "lib/error.h"

#include <jansson.h>

int check_runtimes(const json_t *configuration, struct error *err);

/* Everything that `ocid-dispatch check` looks at. */
int check_configuration(const json_t *configuration, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a configuration beside its form: what it names is not there, or no use. */
#pragma once
#include "lib/error.h"

struct configuration;

/* The default runtime must be there. Another one that is not is a warning where a file names it:
 * its pods fail, and no other. */
int check_runtimes(const struct configuration *configuration, struct error *err);

/* Everything that `ocid-dispatch check` looks at. */
int check_configuration(const struct configuration *configuration, struct error *err);

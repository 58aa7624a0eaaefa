/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration (man 5 ocid.json): one JSON file, and a directory of others that are merged
 * over it. Unknown members are refused, so that a misspelt one is not passed over.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

#define CONFIGURATION_PATH "/etc/ocid/ocid.json"
/* the runtime that every configuration has, and its program */
#define CONFIGURATION_RUNC "runc"

struct configuration {
	json_t *json;	   /* whole, with defaults */
	bool runc_is_ours; /* among the runtimes because it always is: no file names it */
};

/* Read PATH and PATH.d/ in the order of names. Neither need be there where PATH is the usual
 * one, else one of them must. ERROR_INTEGRITY with the file's name for what is wrong. */
int configuration_load(const char *path, struct configuration *configuration, struct error *err);
void configuration_free(struct configuration *configuration);
#define cleanup_configuration __attribute__((cleanup(configuration_free)))

/* The name and the path of the OCI runtime that a pod's handler stands for ("": the default).
 * ERROR_USAGE for one that is not configured. Borrowed. */
const char *configuration_handler(const struct configuration *configuration, const char *handler);
const char *configuration_runtime(const struct configuration *configuration, const char *handler,
				  struct error *err);

/* Whether cgroups are made through systemd. */
bool configuration_uses_systemd(const struct configuration *configuration);

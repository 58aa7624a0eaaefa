/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices by the name that their vendor gave them: the Container Device Interface, up to 1.1. Files
 * of /etc/cdi and /run/cdi, JSON or YAML, say how to change the configuration so that a container
 * can use the device VENDOR/CLASS=NAME.
 */
#pragma once
#include "lib/error.h"

#include <jansson.h>

struct generation;

/* ERROR_USAGE unless it is VENDOR/CLASS=NAME. */
int cdi_check_name(const char *name, struct error *err);

/* The version that a file's specification claims must be a known one that has all that is in it:
 * ERROR_UNSUPPORTED, ERROR_INTEGRITY. */
int cdi_check_version(const json_t *spec, struct error *err);

/* The containerEdits that make the named devices available, [{file, edits}], in the order to apply
 * them: those of each file that has one of them, and then the device's. A later directory goes over
 * an earlier one. directories NULL: the usual ones. ERROR_NOT_FOUND for a device that no file has,
 * ERROR_INTEGRITY where two files of a directory have it. The names have been checked. The caller
 * owns it. */
json_t *cdi_find(const json_t *names, const json_t *directories, struct error *err);

/* Make one set of changes. The process must have its user. */
int cdi_apply(struct generation *g, const json_t *edits, struct error *err);

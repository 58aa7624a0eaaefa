/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marking directories opaque. trusted.overlay.opaque needs CAP_SYS_ADMIN, which the process that
 * reads the layer must not have: a second process, confined to the same root, keeps it and does
 * nothing but set this one attribute on the directories whose paths it is sent.
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct marker {
	pid_t pid;
	int fd; /* write end of its pipe */
};

/* With user.overlay.opaque where `user_attributes`. Between confine_enter() and confine_drop(),
 * which the new process calls for itself. */
int marker_start(struct marker *marker, bool user_attributes, struct error *err);

/* Mark the directory at a path beneath the root ("" is the root). It happens some time before
 * marker_finish() returns. */
int marker_mark(struct marker *marker, const char *path, struct error *err);

/* Wait until all is done. */
int marker_finish(struct marker *marker, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marking directories for overlayfs. trusted.overlay.* needs CAP_SYS_ADMIN, which the process that
 * reads the layer must not have: a second process, confined to the same root, keeps it and does
 * nothing but set one of two attributes on the directories whose paths it is sent.
 */
#pragma once
#include "ctr-store/worker/media.h"
#include "lib/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct marker {
	pid_t pid;
	int fd; /* write end of its pipe */
};

/* With user.overlay.* where `user_attributes`. Between confine_enter() and confine_drop(),
 * which the new process calls for itself. */
int marker_start(struct marker *marker, bool user_attributes, struct error *err);

/* Mark the directory at a path beneath the root ("" is the root). It happens some time before
 * marker_finish() returns. */
int marker_mark(struct marker *marker, enum media_mark mark, const char *path, struct error *err);

/* Wait until all is done. */
int marker_finish(struct marker *marker, struct error *err);

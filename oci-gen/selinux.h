/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux labels, USER:ROLE:TYPE:LEVEL, of containers and of what is mounted into them. */
#pragma once
#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* SELinux is on in this kernel. */
bool selinux_enabled(void);

/*
 * The labels of a process and of its files: what the policy of this host has for containers
 * (lxc_contexts(5)), with what an SELinuxOption of CRI changes; a privileged process is not
 * confined. The level, where none is asked for, has two categories that follow from `pod`, so that
 * the containers of a pod share it and others most likely do not. The caller frees both.
 */
void selinux_labels(const json_t *options, const char *pod, bool privileged, char **process,
		    char **file);

/* Give a label to a file, or to a directory and all beneath it, unless it has it already. Refused
 * for directories that are the host's own. */
int selinux_relabel(const char *path, const char *label, struct error *err);

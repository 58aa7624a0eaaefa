/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the configuration of containers is: of the user, the machine and the distribution, which
 * is $XDG_CONFIG_HOME/containers or ~/.config/containers, /etc/containers and
 * /usr/share/containers. The first place counts most.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

/* The user whose configuration counts: outside of the user namespace that podman or buildah made.
 */
unsigned config_user(void);

/* Where a file is looked for, of which the first that there is counts. */
void config_files(const char *name, struct strings *paths);

/* The directories of drop-ins, STEM.d where `end` is ".d"; the machine and the distribution may
 * have others for root alone and for other users: STEM.rootful.d, STEM.rootless.d/UID,
 * STEM.rootless.d.
 */
void config_directories(const char *stem, const char *end, struct strings *paths);

/* The files of these directories with that ending, by name; of one name the first directory's.
 * Links that lead nowhere are none. */
int config_drop_ins(const struct strings *directories, const char *ending, struct strings *files,
		    struct error *err);

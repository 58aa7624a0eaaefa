/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer that leans asks for: those beneath it in its image, merged. Of images (EROFS) each
 * is mounted once for all layers above it, since each mount is a file system of its own: to mount
 * them anew for each layer that asks takes minutes where there are hundreds.
 */
#pragma once
#include "ctr-store/unpack_job.h"

/* Whether those beneath are done, so that they can be shown. Jobs of one image stand in one array,
 * lowest first: `at` points to one of them there. */
bool unpack_lower_is_done(struct unpack_job *const *at);

/* A mount of them that is attached nowhere: a descriptor. They are done, and there is at least one.
 */
int unpack_lower_open(struct unpack_site *site, struct unpack_job *const *at, struct error *err);

/* Nobody asks any more for what these have become. Whether some of them were still mounted. */
bool unpack_lower_forget(struct unpack_job *const *jobs, size_t count);

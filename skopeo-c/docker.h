/* SPDX-License-Identifier: Apache-2.0 */
/* What only registries can, beyond the table of transports: repositories, tags, mounts. */
#pragma once
#include "skopeo-c/transport.h"

/* Where the bytes come from or go to; NULL while no mirror is known to have the image. */
struct registry *docker_registry(const struct transport *t);
/* The registry itself, not a mirror of it, unless it is blocked; NULL where it cannot be opened. */
struct registry *docker_origin(struct transport *t, struct error *err);
bool transport_is_docker(const struct transport *t);
/* Read or put a manifest by a tag of the repository; ERROR_NOT_FOUND where there is none. */
int docker_get_tagged(struct transport *t, const char *tag, struct manifest *manifest,
		      struct error *err);
int docker_put_tagged(struct transport *t, const char *tag, const struct manifest *manifest,
		      struct error *err);
/* Let `to` take blobs that `from` has over within the registry, when both are in the same one; in
 * one repository they are there. */
void docker_allow_mounts(struct transport *to, const struct transport *from);

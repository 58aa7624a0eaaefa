/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the users and groups of a container are those of the host: arrays of the runtime-spec's
 * LinuxIDMapping, {"containerID", "hostID", "size"}. NULL or an empty array maps every id to
 * itself.
 */
#pragma once
#include "lib/error.h"
#include "lib/memory.h"

#include <jansson.h>
#include <sys/types.h>

struct id_maps {
	const json_t *uids, *gids; /* borrowed */
};

/* From "CONTAINER:HOST:SIZE" options; the caller owns *map, which is NULL for no options.
 * ERROR_USAGE names the option. */
int id_map_parse(const struct strings *texts, const char *option, json_t **map, struct error *err);

/* Those of a container's rootfs.json. */
struct id_maps id_maps_of(const json_t *container);

/* What is id `id` of the container on the host, and back. What is not mapped is 65534, as in the
 * kernel's own answers. */
uid_t id_map_to_host(const json_t *map, uid_t id);
uid_t id_map_to_container(const json_t *map, uid_t id);

/* A user namespace with these mappings, as mount_setattr(2) wants one: a descriptor. -1 is an
 * error; *fd stays -1 where nothing is mapped. */
int id_maps_open(const struct id_maps *maps, int *fd, struct error *err);

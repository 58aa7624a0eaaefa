/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are volumes of a container: mounted at RUNROOT/pods/POD/images/ID/N. */
#pragma once
#include "ocid-dispatch/containers.h"

/* Mount those of the config, whose mounts are given as imageRef what images_digested() says. Their
 * directories by the names in the config go into `images`, an object. What is mounted before a
 * failure stays, for container_images_unmount(). */
int container_images_mount(const struct rpc_context *context, const struct records *records,
			   const struct named *named, json_t *config, json_t *images,
			   struct error *err);

/* Unmount what there is. Again is no error. */
int container_images_unmount(const struct rpc_context *context, const struct records *records,
			     const struct named *named, struct error *err);

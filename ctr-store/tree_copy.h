/* SPDX-License-Identifier: Apache-2.0 */
/* Layers one upon the other as plain files, where overlayfs cannot write. File systems that share
 * blocks (FICLONE: btrfs, xfs) take no room for them. */
#pragma once
#include "ctr-store/id_map.h"
#include "lib/error.h"

/* Apply a layer, the directory layer_fd, to the tree below target_fd, which nobody else uses: its
 * whiteouts and opaque directories remove what is there. Owners become those of the host. The
 * topmost directory itself stays as it is. */
int tree_copy_layer(int layer_fd, int target_fd, const struct id_maps *maps, struct error *err);

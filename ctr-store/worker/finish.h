/* SPDX-License-Identifier: Apache-2.0 */
/* The last pass over the directories, when nothing more is made in them. */
#pragma once
#include "ctr-store/worker/tree.h"

/* Mark what is opaque, drop whiteouts that hide nothing (overlayfs shows them when no lower
 * directory is merged), set modes and modification times. */
int finish_directories(struct tree *tree, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer may hold "lib/x" without saying what "lib" is, on top of one where lib is a symbolic
 * link to usr/lib. Whoever applies layers one upon the other puts usr/lib/x then; a directory
 * "lib" in this layer would hide the link instead and break the image.
 */
#pragma once
#include "ctr-store/worker/tree.h"

/* Move all that is in `dir`, which no entry declares, to where `target` leads, which is what the
 * symbolic link in its place in a lower layer says. Parents on the way are made, not declared. */
int relocate(struct tree *tree, struct dir *dir, const char *target, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory: for what a program is to read that need not fit into a pipe, or must not stand
 * in its arguments. */
#pragma once
#include "lib/error.h"

/* One that holds the text, to be read from its beginning. Returns a descriptor. */
int memory_file(const char *name, const char *text, struct error *err);

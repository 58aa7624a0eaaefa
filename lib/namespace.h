/* SPDX-License-Identifier: Apache-2.0 */
/* Files that stand for a namespace: /proc/PID/ns/NAME, and what is bound to one. */
#pragma once
#include <stdbool.h>

/* Whether the open file is a namespace of that type (CLONE_NEW…). */
bool namespace_is(int fd, int type);

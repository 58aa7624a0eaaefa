/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confinement of the worker, for good, before it reads a byte from the client. Its descriptors are
 * the client, the other process, and what that hands over. In order:
 *
 *   1. resource limits: no core file, no file, no process, 64 MiB of memory
 *   2. user and group nobody without further groups, where we are root: no capabilities
 *   3. no_new_privs
 *   4. Landlock, where the kernel has it: no file, no TCP, no abstract socket, no signal to others
 *   5. seccomp: the few system calls that moving bytes takes; others fail with EPERM
 */
#pragma once
#include "lib/error.h"

int confine(struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of system calls (seccomp(2)), for good, for this thread and what it starts. A call that
 * is refused fails with EPERM, as does any of another architecture's. no_new_privs must be set.
 * Nothing is done on machines whose calls are not known here, nor with sanitizers, which need more
 * of them.
 */
#pragma once
#include "lib/error.h"

#include <stddef.h>

/* The calls are numbers of <sys/syscall.h>, at most SECCOMP_CALLS_MAX. */
enum { SECCOMP_CALLS_MAX = 64 };

int seccomp_allow_only(const unsigned *calls, size_t count, struct error *err);
int seccomp_refuse(const unsigned *calls, size_t count, struct error *err);

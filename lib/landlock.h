/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock (landlock(7)): give up rights, for good and for children too. A kernel that has none of
 * it, or an older version, denies as much as it can, which is success. no_new_privs must be set.
 *
 * Both also give up TCP, devices' ioctls, and signals and abstract sockets of processes that have
 * not given up the same.
 */
#pragma once
#include "lib/error.h"

/* Every file and directory that is not open yet. */
int landlock_deny_files(struct error *err);

/* Running programs, and changing anything that is not beneath the directory. */
int landlock_deny_changes(int directory_fd, struct error *err);

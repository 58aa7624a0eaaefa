/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening names that come from outside. A name found in data (an archive entry, an image config, a
 * request) is only ever opened through these two; names in argv are the user's own and open
 * normally. ERROR_INTEGRITY "leads outside its directory" when it does. openat2 needs Linux 5.6;
 * the tools together need 5.9 (close_range).
 */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* For our own store: no component may be a symbolic link, "..", or a mount into elsewhere.
 * Returns a descriptor with O_CLOEXEC. */
int path_open_beneath(int dir_fd, const char *path, int flags, struct error *err);

/* For a container's file system: symbolic links and ".." resolve as if dir_fd were "/" (and magic
 * links not at all). Pass O_NONBLOCK when the file may be a FIFO. Returns a descriptor. */
int path_open_in_root(int root_fd, const char *path, int flags, struct error *err);

/* A directory by its name in another, and not what is mounted on it: EXDEV, also where that is of
 * the same file system (mount --bind). Returns a descriptor. */
int path_open_directory(int dir_fd, const char *name, struct error *err);

/* True for one path component that can name an object of ours or a file in a directory: not empty,
 * not "." or "..", no "/", no control characters, at most 255 bytes. */
bool path_is_name(const char *name);

/* True for names with a "/" between each two: a path that leads downwards, if no link is on it. */
bool path_descends(const char *path);

/* True for an id of a container, pod or network: [A-Za-z0-9][A-Za-z0-9_.-]*, at most 128 bytes. */
bool path_is_id(const char *id);

/* mkdir -p with the given mode for what it makes. */
int path_make_dirs(const char *path, mode_t mode, struct error *err);

/* rm -rf of `name` in dir_fd: never follows a symbolic link, never enters what is mounted on a
 * directory (ERROR_IN_USE). Absent is success. In the tree no flags protect anything (chattr(1)).
 */
int path_remove_tree(int dir_fd, const char *name, struct error *err);

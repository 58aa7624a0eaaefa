/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: bounded reading, complete writing, atomic and durable replacement. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stat;

/* Read to the end of fd, at most `max` bytes (more is ERROR_LIMIT). The caller frees the result,
 * which has a NUL after its *length bytes. `what` names it in errors. */
char *file_read_fd(int fd, size_t max, size_t *length, const char *what, struct error *err);

/* Open and read a file below dir_fd (or AT_FDCWD). */
char *file_read_at(int dir_fd, const char *path, size_t max, size_t *length, struct error *err);

/* Read a file that need not be there, or must: 1 with *text, which the caller frees; 0 where it is
 * not there and not required. */
int file_read_known(const char *path, bool required, size_t max, char **text, size_t *length,
		    struct error *err);

/* Write all bytes; `what` names the file in errors. EINTR is retried unless a signal asked the
 * tool to end. */
int file_write_fd(int fd, const void *data, size_t length, const char *what, struct error *err);

/* Replace (or make) the file `name` in dir_fd, or at a path from there, so that a reader or a crash
 * sees the old bytes or the new ones, never a part: a file without a name, fsync, its name, fsync
 * of the directory. */
int file_replace_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		    struct error *err);

/* The same where none of that name may be there, which is ERROR_EXISTS. */
int file_create_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		   struct error *err);

/* file_replace_at() with one wait for the disk instead of two, for a file that means nothing before
 * this returns: a power cut until then may leave it empty. */
int file_publish_at(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
		    struct error *err);

/* And without waiting for the disk, for what need not survive a power cut or can be made
 * again: a reader, and who comes after a kill, sees the old bytes or the new ones; after a power
 * cut the file may be empty. */
int file_replace_volatile_at(int dir_fd, const char *name, const void *data, size_t length,
			     mode_t mode, struct error *err);

/* Give a file owner and mode of the one that it is to replace. What root replaces stays its user's;
 * who is not root can give nothing away, which is no failure, and gives it the group where he is in
 * it. -1 with errno. */
int file_inherit(int fd, const struct stat *replaced);

/* Give a file without a name (O_TMPFILE) one, which must be free. -1 with errno. */
int file_link(int fd, int dir_fd, const char *name);

/* fsync of a directory, so that a rename in it survives a power cut. */
int file_sync_dir(int dir_fd, const char *what, struct error *err);

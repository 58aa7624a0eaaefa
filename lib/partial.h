/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads that have ended early, kept to be continued: files `.partial.ALGORITHM.HEX`, named
 * after the digest of what they are going to be, in the directory where it is needed. A process
 * that works on one holds its lock. One that nobody has worked on for a day is given up.
 */
#pragma once
#include "lib/digest.h"

#include <stdbool.h>

enum { PARTIAL_NAME_SIZE = DIGEST_SIZE + sizeof ".partial.", PARTIAL_KEPT_SECONDS = 24 * 60 * 60 };

/* Open the one of a valid digest, locked, for reading and writing, or make an empty one; fills its
 * name. -1 where another process works on it, or there can be none. */
int partial_open(int dir_fd, const char *digest, char name[static PARTIAL_NAME_SIZE]);

/* Open the one of a valid digest for reading, whoever works on it; -1 where there is none. What is
 * read counts for nothing until the digest of all of it is known to be right. */
int partial_follow(int dir_fd, const char *digest);

bool partial_is_name(const char *name);

/* Remove the file of that name where no process has worked on it for that many seconds; with
 * dry_run only see whether that is so. True where it is. */
bool partial_expire(int dir_fd, const char *name, int seconds, bool dry_run);

/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted, from proc(5)'s mountinfo: above all overlays of ours. */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Overlays of ours are mounted with this and 16 hex digits as their device. */
#define MOUNT_SOURCE_PREFIX "ocid:"

struct mount_entry {
	char *target, *source;
	unsigned long long id; /* the kernel's, of the mount */
};

struct mount_table {
	struct mount_entry *entries; /* in the kernel's order: of two on one directory the later
				      * one is on top */
	size_t count;
	ino_t *pinned; /* mount namespaces that a bind mount keeps */
	size_t pinned_count;
};

/* Read /proc/PID/mountinfo; pid 0: our own. */
int mount_table_read(pid_t pid, struct mount_table *table, struct error *err);
void mount_table_free(struct mount_table *table);
#define cleanup_mount_table __attribute__((cleanup(mount_table_free)))

/* Parse mountinfo's text, which is changed. Lines that make no sense are passed over. */
void mount_table_parse(char *text, struct mount_table *table);

/* Whether it holds the mount; target NULL: anywhere. */
bool mount_table_has(const struct mount_table *table, const char *source, const char *target);

/* The source of the topmost mount of ours on a directory, or NULL. Borrowed. */
const char *mount_table_on(const struct mount_table *table, const char *target);

/* The same in our mount namespace, but NULL where a mount that is not ours is on top of it. */
const char *mount_table_top(const struct mount_table *table, const char *target);

/* Where the last mount below the directory (absolute, without symbolic links) is, ours or not: 1
 * with its place, which the caller frees, or 0. */
int mount_find_below(const char *directory, char **target, struct error *err);

/* For a directory that umount2(2) has found busy: ERROR_IN_USE that says by what, and EBUSY.
 * Returns -1. */
int mount_busy(const char *directory, struct error *err);

/* The inode number that names a process's mount namespace (pid 0: our own); 0 when it is gone. */
ino_t mount_namespace(pid_t pid);

/* The inode number that names our PID namespace; PROC_PID_INIT_INO of the kernel is that of the one
 * in which all processes are seen. */
#define PID_NAMESPACE_INITIAL ((ino_t)0xeffffffc)
ino_t pid_namespace(void);

/* What a process in that mount namespace sees: 1; 0 where no process lives in it. */
int mount_table_read_in(ino_t name_space, struct mount_table *table, struct error *err);

/* Whether a bind mount in the table keeps the mount namespace. */
bool mount_table_keeps(const struct mount_table *table, ino_t name_space);

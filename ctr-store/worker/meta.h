/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner, mode, times and extended attributes of an entry.
 *
 * Of the attributes only user.* and security.capability are kept. The names that overlayfs reads
 * (trusted.overlay.*, user.overlay.*) are ERROR_INTEGRITY in an archive: with them a layer could
 * show any file of the layers beneath, or hide one. Others (security.selinux, trusted.*, ACLs) are
 * dropped, as docker and podman do. Attributes go on files and directories only.
 */
#pragma once
#include "ctr-store/worker/limits.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

struct archive_entry;

enum { ATTRIBUTE_SIZE_MAX = 65536 };

struct attribute {
	const char *name;
	const void *value;
	size_t size;
};

struct meta {
	mode_t mode; /* permission bits, 07777 */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	struct attribute attributes[LAYER_ATTRIBUTES_MAX];
	size_t attribute_count;
	char *storage; /* owns names and values when they come from a file; else NULL */
};

void meta_free(struct meta *meta);
#define cleanup_meta __attribute__((cleanup(meta_free)))

/* From the archive; names and values stay borrowed from the entry. */
int meta_from_entry(struct archive_entry *entry, struct meta *meta, struct error *err);

/* From a file of a lower layer. */
int meta_from_file(int fd, const struct stat *st, struct meta *meta, struct error *err);

/* The error after a failed chown(2); -1. */
int meta_owner_failed(const struct meta *meta, struct error *err);

/* Owner, mode and attributes of an open file or directory, in the order that keeps set-user-ID and
 * capabilities: the kernel clears them when the owner changes. `mode_now` is what it was made
 * with, which was without set-ID bits. */
int meta_apply(int fd, const struct meta *meta, mode_t mode_now, struct error *err);

/* Times, and owner and mode, of what cannot be opened: a link, a device or a FIFO made with
 * permission bits `mode_now`. */
int meta_apply_at(int dir_fd, const char *name, const struct meta *meta, bool is_link,
		  mode_t mode_now, struct error *err);

/* Modification and access time of an open file; the descriptor may be O_PATH. */
int meta_set_time(int fd, const struct timespec *mtime, struct error *err);

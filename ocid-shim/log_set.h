/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a log that rotates: PATH, which is written to, and before it PATH.1, PATH.2, ….
 * They are opened from the newest on, so that one that is renamed meanwhile is met twice rather
 * than never; and while they are renamed there is a name among them that is free. Where they were
 * renamed twice meanwhile they are opened anew.
 */
#pragma once
#include "ocid-shim/log_reader.h"

struct log_set {
	struct log_reader *readers; /* the newest first */
	size_t count;
};

/* Open all files, or only PATH where it does not rotate: names like the others may be anything
 * then. With `last` (or NULL) only those that are newer than that one. */
int log_set_open(const char *path, bool rotates, const struct log_reader *last, struct log_set *set,
		 struct error *err);
void log_set_close(struct log_set *set);
#define cleanup_log_set __attribute__((cleanup(log_set_close)))

/* Go to where the last `count` lines of output begin, of those that were written until then
 * (nanoseconds since 1970); files before that are left out. */
int log_set_tail(struct log_set *set, long long count, long long until, struct error *err);

/* Remove the files before the one that is written to. */
void log_set_remove_old(const char *path);

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_set.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILES_MAX = 1000,
	HOLES_MAX = 2, /* names in a row that are free: one while the others are renamed, oldest
			  first, and one more when that begins again */
	TRIES = 100,   /* where they are renamed faster than they can be opened */
};

void log_set_close(struct log_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		log_reader_close(&set->readers[i]);
	free(set->readers);
	*set = (struct log_set){ 0 };
}

/* Whether it is the file that was opened before it, or `last`. */
static bool is_known(const struct log_reader *reader, const struct log_reader *other)
{
	struct stat status;

	return other && fstat(reader->fd, &status) == 0 && !log_reader_is_other(other, &status);
}

static int open_all(const char *path, bool rotates, const struct log_reader *last,
		    struct log_set *set, struct error *err)
{
	cleanup_log_set struct log_set made = { 0 };
	bool found = false;
	int holes = 0;

	for (int number = 0; number <= (rotates ? FILES_MAX : 0); number++) {
		cleanup_free char *name = number ? xasprintf("%s.%d", path, number) : xstrdup(path);
		cleanup_log_reader struct log_reader reader = { .fd = -1 };
		struct error reason;

		if (log_reader_open(name, path, &reader, &reason) < 0) {
			if (number == 0)
				*err = reason;
			if (reason.kind != ERROR_NOT_FOUND || ++holes > HOLES_MAX)
				break;
			continue;
		}
		found = true;
		holes = 0;
		if (is_known(&reader, last))
			break;
		if (made.count > 0 && is_known(&reader, &made.readers[made.count - 1]))
			continue;
		made.readers = xgrow(made.readers, made.count, sizeof reader);
		made.readers[made.count++] = reader;
		reader = (struct log_reader){ .fd = -1 };
	}
	if (!found)
		return -1;
	*set = made;
	made = (struct log_set){ 0 };
	return 0;
}

/* Whether the newest file is still that, so that all the others have at most just been renamed. */
static bool is_true(const struct log_set *set, const char *path, const struct log_reader *last)
{
	const struct log_reader *newest = set->count > 0 ? &set->readers[0] : last;
	struct stat status;

	return stat(path, &status) == 0 && !log_reader_is_other(newest, &status);
}

int log_set_open(const char *path, bool rotates, const struct log_reader *last, struct log_set *set,
		 struct error *err)
{
	for (int left = TRIES; left > 0; left--) {
		log_set_close(set);
		if (open_all(path, rotates, last, set, err) < 0)
			return -1;
		if (!rotates || is_true(set, path, last))
			break;
	}
	return 0;
}

int log_set_tail(struct log_set *set, long long count, long long until, struct error *err)
{
	struct log_tail tail = { .lines = count, .until = until };
	size_t used = 0;
	int found = 0;

	while (found == 0 && used < set->count)
		found = log_reader_tail(&set->readers[used++], &tail, err);
	if (found < 0)
		return -1;
	while (set->count > used)
		log_reader_close(&set->readers[--set->count]);
	return 0;
}

void log_set_remove_old(const char *path)
{
	for (int number = 1; number <= FILES_MAX; number++) {
		cleanup_free char *name = xasprintf("%s.%d", path, number);

		if (unlink(name) < 0)
			break;
	}
}

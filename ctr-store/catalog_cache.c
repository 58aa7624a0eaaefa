/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog_cache.h"

#include "lib/boot.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/layout.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { CACHE_MAX = 64 << 20, FORMAT = 2, SETTLED_MS = 100 };

static const char cache_name[] = "images", cache_new[] = ".images";

/* ---- the key ---- */

static long long milliseconds(const struct timespec *time)
{
	return time->tv_sec * 1000LL + time->tv_nsec / 1000000;
}

/* A change is only sure to be seen in a file's times when it comes in a later tick of the clock. */
static bool is_settled(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return milliseconds(&now) - milliseconds(&st->st_ctim) > SETTLED_MS;
}

/* Add what the rows of one layout depend on; false where it has just changed. */
static bool add_files(const struct layout *layout, FILE *key)
{
	static const char *const files[] = { "index.json", "blobs/sha256", "blobs/sha512" };

	fprintf(key, " %s", layout->path);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct stat st = { 0 };

		if (fstatat(layout->fd, files[i], &st, 0) == 0 && !is_settled(&st))
			return false;
		fprintf(key, " %llx:%llx:%llx:%lld.%09ld:%lld.%09ld", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino, (unsigned long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	}
	return true;
}

char *catalog_cache_key(const struct layout *layout)
{
	struct utsname host;
	struct error ignored;
	cleanup_free char *boot = boot_id(&ignored);
	char *key = NULL;
	size_t size;
	FILE *stream = boot ? open_memstream(&key, &size) : NULL;

	if (!stream)
		return xstrdup("");
	uname(&host);
	/* the file was never synced: after a crash of the machine it may hold anything */
	fprintf(stream, "%d %s %.32s", FORMAT, boot, host.machine);
	bool settled = add_files(layout, stream);
	for (size_t i = 0; settled && i < layout->other_count; i++)
		settled = add_files(&layout->others[i], stream);
	fclose(stream);
	if (!settled)
		key[0] = '\0';
	return key;
}

/* ---- the file ---- */

static char *path_of(const struct store *store, const char *name)
{
	return xasprintf("%s/%s", store->runroot, name);
}

char *catalog_cache_read(const struct store *store, const char *key, size_t *length)
{
	struct error ignored;
	size_t size, key_length = strlen(key);
	cleanup_free char *path = path_of(store, cache_name);
	cleanup_free char *text =
		key[0] ? file_read_at(AT_FDCWD, path, CACHE_MAX, &size, &ignored) : NULL;

	if (!text || size <= key_length || memcmp(text, key, key_length) != 0 ||
	    text[key_length] != '\n')
		return NULL;
	*length = size - key_length - 1;
	memmove(text, text + key_length + 1, *length + 1);
	return steal_ptr(&text);
}

json_t *catalog_cache_parse(const char *line, struct error *err)
{
	return json_parse(line, strcspn(line, "\n"), "the list of images", err);
}

/* Only lines that hold the id somewhere are parsed, and once: labels may hold it as often as
 * somebody likes. */
json_t *catalog_cache_find(const char *lines, const char *id)
{
	struct error ignored;

	for (const char *at = lines; (at = strstr(at, id)); at += strcspn(at, "\n")) {
		const char *line = at;

		while (line > lines && line[-1] != '\n')
			line--;
		json_auto_t *row = catalog_cache_parse(line, &ignored);
		if (strcmp(json_text(row, "id", ""), id) == 0)
			return json_incref(row);
	}
	return NULL;
}

static bool write_rows(int fd, const char *key, const json_t *rows)
{
	cleanup_fd int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	cleanup_file FILE *file = copy < 0 ? NULL : fdopen(copy, "w");
	const json_t *row;
	size_t i;

	if (!file)
		return false;
	steal_fd(&copy);
	fprintf(file, "%s\n", key);
	json_array_foreach (rows, i, row) {
		cleanup_free char *text = json_compact(row);

		fprintf(file, "%s\n", text);
	}
	return fflush(file) == 0 && !ferror(file);
}

void catalog_cache_write(const struct store *store, const char *key, const json_t *rows)
{
	struct error ignored;
	cleanup_free char *path = path_of(store, cache_name);
	cleanup_free char *new = path_of(store, cache_new);
	/* nobody waits for whoever is writing the same just now */
	cleanup_fd int lock = key[0] ? lock_take(store->locks_fd, "tmp", "images", LOCK_EXCLUSIVE,
						 false, &ignored)
				     : -1;
	cleanup_fd int fd =
		lock < 0 ? -1
			 : open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && (!write_rows(fd, key, rows) || rename(new, path) < 0))
		unlink(new);
}

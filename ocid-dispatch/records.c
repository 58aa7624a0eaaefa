/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/records.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "ocid-dispatch/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FRACTION_DIGITS = 9, ID_DIGITS_MIN = 4, NS_PER_S = 1000000000 };

static int open_sub(const char *top, const char *name, mode_t mode, int *fd, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", top, name);

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return error_os(err, "cannot make directory %s", path);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? error_os(err, "%s", path) : 0;
}

int records_open(const struct rpc_context *context, struct records *records, struct error *err)
{
	const struct cli cli = { .root = context->root, .runroot = context->runroot };
	cleanup_records struct records r = { .pods_fd = -1, .names_fd = -1, .run_pods_fd = -1 };

	if (store_open(&cli, &r.store, err) < 0 ||
	    open_sub(r.store.root, "pods", 0711, &r.pods_fd, err) < 0 ||
	    open_sub(r.store.root, "podnames", 0700, &r.names_fd, err) < 0 ||
	    open_sub(r.store.runroot, "pods", 0711, &r.run_pods_fd, err) < 0)
		return -1;
	*records = r;
	r = (struct records){ 0 };
	return 0;
}

void records_close(struct records *records)
{
	if (!records->store.root)
		return;
	store_close(&records->store);
	cleanup_fd_p(&records->pods_fd);
	cleanup_fd_p(&records->names_fd);
	cleanup_fd_p(&records->run_pods_fd);
}

/* The names of records are alike: say where. Returns -1. */
static int say_where(int dir_fd, struct error *err)
{
	cleanup_free char *link = xasprintf("/proc/self/fd/%d", dir_fd);
	char path[PATH_MAX];
	ssize_t length = readlink(link, path, sizeof path);

	return length > 0 ? error_prefix(err, "%.*s", (int)length, path) : -1;
}

static int write_text(int dir_fd, const char *name, const char *text, enum record_kind kind,
		      struct error *err)
{
	size_t length = strlen(text);

	switch (kind) {
	case RECORD_DURABLE:
		return file_replace_at(dir_fd, name, text, length, 0600, err);
	case RECORD_FIRST:
		return file_publish_at(dir_fd, name, text, length, 0600, err);
	case RECORD_VOLATILE:
	default:
		return file_replace_volatile_at(dir_fd, name, text, length, 0600, err);
	}
}

/* What is volatile: a pod that a power cut takes is gone with its namespaces. */
int records_write(int dir_fd, const char *name, const json_t *json, enum record_kind kind,
		  struct error *err)
{
	cleanup_free char *text = json_compact(json);

	return write_text(dir_fd, name, text, kind, err) < 0 ? say_where(dir_fd, err) : 0;
}

bool records_is_lost(const struct error *why)
{
	return why->os == 0 || why->os == ENOENT;
}

bool records_leave_out(const char *what, const char *id, const struct error *why)
{
	if (why->kind == ERROR_INTEGRITY)
		log_message(LOG_LEVEL_WARN, "%s %s is left out: %s", what, id, why->message);
	return records_is_lost(why);
}

int records_remove(int dir_fd, const char *name, struct error *err)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	error_os(err, "cannot remove %s", name);
	return say_where(dir_fd, err);
}

int records_forgive_unwritable(int status, struct error *err)
{
	if (status == 0 || (err->kind != ERROR_LIMIT && err->os != EROFS))
		return status;
	*err = (struct error){ 0 };
	return 0;
}

int records_ids(int dir_fd, const char *path, const char *suffix, struct strings *ids,
		struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(dir_fd, path, &names) < 0)
		return error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		size_t length = strlen(name), end = strlen(suffix);

		if (path_is_id(name) && length > end && strcmp(name + length - end, suffix) == 0)
			strings_addf(ids, "%.*s", (int)(length - end), name);
	}
	return 0;
}

const char *records_choose(const struct strings *ids, const char *text, const char *what,
			   struct error *err)
{
	const char *found = NULL;
	size_t length = strlen(text), count = 0;

	for (size_t i = 0; i < ids->count; i++) {
		if (strcmp(ids->items[i], text) == 0)
			return ids->items[i];
		if (length >= ID_DIGITS_MIN && strncmp(ids->items[i], text, length) == 0) {
			found = ids->items[i];
			count++;
		}
	}
	if (count == 1)
		return found;
	if (count > 1)
		error_set(err, ERROR_USAGE, "\"%s\" means several %ss", text, what);
	else
		error_set(err, ERROR_NOT_FOUND, "no %s \"%s\"", what, text);
	error_subject(err, text);
	return NULL;
}

json_int_t records_time(const char *rfc3339)
{
	struct tm tm = { 0 };
	json_int_t fraction = 0;
	const char *at = strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm);
	int digits = 0;

	if (!at)
		return 0;
	for (at += *at == '.'; *at >= '0' && *at <= '9' && digits < FRACTION_DIGITS; at++, digits++)
		fraction = fraction * 10 + (*at - '0');
	for (; digits < FRACTION_DIGITS; digits++)
		fraction *= 10;
	return (json_int_t)timegm(&tm) * NS_PER_S + fraction;
}

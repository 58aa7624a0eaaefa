/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream_tokens.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert((int)STREAM_TOKEN_SIZE == (int)RANDOM_ID_SIZE, "a token is a random id");

const char *stream_kind_name(enum stream_kind kind)
{
	static const char *const names[] = { "exec", "attach", "portforward" };

	return names[kind];
}

static int open_directory(const char *runroot, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/streams", runroot);
	int fd;

	if (path_make_dirs(path, 0700, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", path) : fd;
}

static bool is_token(const char *name)
{
	return strlen(name) == STREAM_TOKEN_SIZE - 1 &&
	       strspn(name, "0123456789abcdef") == STREAM_TOKEN_SIZE - 1;
}

/* Also when the clock was set back. */
static bool is_old(const struct stat *status)
{
	time_t age = time(NULL) - status->st_mtime;

	return age < 0 || age > STREAM_TOKEN_SECONDS;
}

/* Remove old files; returns how many others there are, or -1 with errno. */
static int sweep(int dir_fd)
{
	cleanup_strings struct strings names = { 0 };
	int count = 0;

	if (directory_names(dir_fd, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		struct stat status;

		if (!is_token(name) || fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (is_old(&status))
			unlinkat(dir_fd, name, 0);
		else
			count++;
	}
	return count;
}

int stream_token_make(const char *runroot, enum stream_kind kind, const json_t *request,
		      char token[static STREAM_TOKEN_SIZE], struct error *err)
{
	json_auto_t *waiting =
		json_pack("{s:s, s:O}", "kind", stream_kind_name(kind), "request", request);
	cleanup_free char *text = json_compact(waiting);
	cleanup_fd int dir_fd = open_directory(runroot, err);

	if (dir_fd < 0)
		return -1;
	int waiting_for = sweep(dir_fd);
	if (waiting_for < 0)
		return error_os(err, "%s/streams", runroot);
	if (waiting_for >= STREAM_TOKENS_MAX) {
		error_set(err, ERROR_LIMIT, "%d requests for streams wait for their clients",
			  STREAM_TOKENS_MAX);
		return error_hint(err, "try again within a minute");
	}
	random_id(token);

	cleanup_fd int fd = openat(dir_fd, token, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_os(err, "cannot write %s/streams", runroot);
	/* nobody looks for it before it is whole, since nobody knows its name */
	if (file_write_fd(fd, text, strlen(text), "the request", err) < 0) {
		unlinkat(dir_fd, token, 0);
		return -1;
	}
	return 0;
}

static json_t *not_found(struct error *err)
{
	error_set(err, ERROR_NOT_FOUND,
		  "no request waits here: it has been answered already, or is older than %d "
		  "seconds",
		  STREAM_TOKEN_SECONDS);
	return NULL;
}

json_t *stream_token_take(const char *runroot, enum stream_kind kind, const char *token,
			  struct error *err)
{
	cleanup_fd int dir_fd = open_directory(runroot, err);
	struct stat status;

	if (dir_fd < 0)
		return NULL;
	if (!is_token(token))
		return not_found(err);

	cleanup_fd int fd = openat(dir_fd, token, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return not_found(err);
	/* of several that take it at once one removes it */
	if (unlinkat(dir_fd, token, 0) < 0 || is_old(&status))
		return not_found(err);

	json_auto_t *waiting = json_read_fd(fd, JSON_DOCUMENT_MAX, "the request", err);
	if (!waiting)
		return NULL;
	if (strcmp(json_text(waiting, "kind", ""), stream_kind_name(kind)) != 0)
		return not_found(err);
	return json_incref(json_object_get(waiting, "request"));
}

void stream_tokens_sweep(const char *runroot)
{
	struct error ignored;
	cleanup_fd int dir_fd = open_directory(runroot, &ignored);

	if (dir_fd >= 0)
		sweep(dir_fd);
}

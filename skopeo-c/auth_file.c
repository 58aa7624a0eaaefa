/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/auth_file.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/helper.h"
#include "skopeo-c/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_ID "lock"

/* The file, open to be changed. */
struct auth_file {
	char *path; /* without symbolic links */
	const char *name;
	int dir_fd, lock_fd;
	json_t *json;
};

char *auth_file_path(const char *authfile)
{
	const char *named = getenv("REGISTRY_AUTH_FILE"), *docker = getenv("DOCKER_CONFIG");
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (authfile)
		return xstrdup(authfile);
	if (named && named[0])
		return xstrdup(named);
	if (docker && docker[0])
		return xasprintf("%s/config.json", docker);
	if (runtime && runtime[0])
		return xasprintf("%s/containers/auth.json", runtime);
	return xasprintf("/run/containers/%u/auth.json", (unsigned)getuid());
}

static void close_file(struct auth_file *file)
{
	if (file->lock_fd >= 0)
		lock_discard(file->dir_fd, file->name, LOCK_ID);
	cleanup_fd_p(&file->lock_fd);
	cleanup_fd_p(&file->dir_fd);
	json_decref(file->json);
	free(file->path);
}

#define cleanup_auth_file __attribute__((cleanup(close_file)))
#define NO_FILE		  ((struct auth_file){ .dir_fd = -1, .lock_fd = -1 })

static int read_file(struct auth_file *file, struct error *err)
{
	cleanup_fd int fd = openat(file->dir_fd, file->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return error_os(err, "%s", file->path);
	file->json =
		fd < 0 ? json_object() : json_read_fd(fd, CREDENTIALS_FILE_MAX, file->path, err);
	if (json_is_object(file->json) && (!json_object_get(file->json, "auths") ||
					   json_is_object(json_object_get(file->json, "auths"))))
		return 0;
	if (!file->json && err->kind != ERROR_INTEGRITY)
		return -1;
	/* the text of a parser could quote a secret */
	return error_set(err, ERROR_INTEGRITY, "%s: not the JSON of credentials", file->path);
}

/* Lock and read it. A file that is not there is an empty one. */
static int open_file(const char *path, struct auth_file *file, struct error *err)
{
	char *real = realpath(path, NULL);

	file->path = real ? real : xstrdup(path);
	char *slash = strrchr(file->path, '/');
	cleanup_free char *dir =
		slash ? xstrndup(file->path, (size_t)(slash - file->path)) : xstrdup(".");
	file->name = slash ? slash + 1 : file->path;
	if (!path_is_name(file->name))
		return error_set(err, ERROR_USAGE, "\"%s\" does not name a file", path);
	if (dir[0] && path_make_dirs(dir, 0700, err) < 0)
		return -1;
	file->dir_fd = open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir_fd < 0)
		return error_os(err, "%s", dir);
	file->lock_fd = lock_take(file->dir_fd, file->name, LOCK_ID, LOCK_EXCLUSIVE, true, err);
	if (file->lock_fd < 0)
		return error_prefix(err, "%s", file->path);
	return read_file(file, err);
}

static int write_file(const struct auth_file *file, struct error *err)
{
	char *text = json_dumps(file->json, JSON_INDENT(8));

	if (!text)
		return error_set(err, ERROR_FAILED, "%s: cannot be written as JSON", file->path);
	int status = file_replace_at(file->dir_fd, file->name, text, strlen(text), 0600, err);
	secret_wipe(text);
	return status < 0 ? error_prefix(err, "%s", file->path) : 0;
}

/* The helper that keeps a key's credentials, or NULL for the file itself. Borrowed. */
static const char *helper_for(const json_t *json, const char *key)
{
	cleanup_free char *host = xstrndup(key, strcspn(key, "/"));
	const char *helper = json_text(json_object_get(json, "credHelpers"), host, NULL);

	return helper ? helper : json_text(json, "credsStore", NULL);
}

int auth_file_store(const char *path, const char *key, const struct credentials *credentials,
		    struct error *err)
{
	cleanup_auth_file struct auth_file file = NO_FILE;

	if (open_file(path, &file, err) < 0)
		return -1;
	const char *helper = helper_for(file.json, key);
	if (helper)
		return helper_store(helper, key, credentials, err);
	json_t *auths = json_object_get(file.json, "auths");
	if (!auths) {
		auths = json_object();
		json_object_set_new(file.json, "auths", auths);
	}
	char *basic = credentials_basic(credentials);
	json_object_set_new(auths, key, json_pack("{s:s}", "auth", basic + strlen("Basic ")));
	secret_wipe(basic);
	return write_file(&file, err);
}

/* Then there is nothing to forget, and none is made for that. */
static bool is_missing(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static int has_none(const char *path, const char *key, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, "%s has no credentials for %s", path, key);
}

int auth_file_erase(const char *path, const char *key, struct error *err)
{
	cleanup_auth_file struct auth_file file = NO_FILE;
	int erased = 0;

	if (is_missing(path))
		return has_none(path, key, err);
	if (open_file(path, &file, err) < 0)
		return -1;
	const char *helper = helper_for(file.json, key);
	if (helper && (erased = helper_erase(helper, key, err)) < 0)
		return -1;
	if (json_object_del(json_object_get(file.json, "auths"), key) == 0)
		return write_file(&file, err);
	if (erased)
		return 0;
	return has_none(file.path, key, err);
}

int auth_file_erase_all(const char *path, struct error *err)
{
	cleanup_auth_file struct auth_file file = NO_FILE;
	const char *host, *everywhere;
	const json_t *helper;

	if (is_missing(path))
		return 0;
	if (open_file(path, &file, err) < 0)
		return -1;
	json_object_foreach (json_object_get(file.json, "credHelpers"), host, helper) {
		if (json_is_string(helper) &&
		    helper_erase(json_string_value(helper), host, err) < 0)
			return -1;
	}
	everywhere = json_text(file.json, "credsStore", NULL);
	json_object_foreach (json_object_get(file.json, "auths"), host, helper) {
		if (everywhere && helper_erase(everywhere, host, err) < 0)
			return -1;
	}
	json_object_set_new(file.json, "auths", json_object());
	return write_file(&file, err);
}

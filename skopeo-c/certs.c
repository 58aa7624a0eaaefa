/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/certs.h"

#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "skopeo-c/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CERTIFICATE_MAX = 1 << 20 };

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* A link that leads nowhere, or what was removed just now, is none. */
static int add_authority(int dir_fd, const char *name, struct http_tls *tls, struct error *err)
{
	size_t length;
	cleanup_free char *pem = file_read_at(dir_fd, name, CERTIFICATE_MAX, &length, err);

	if (!pem)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	char *all = xasprintf("%s%s\n", tls->authorities ? tls->authorities : "", pem);
	free(tls->authorities);
	tls->authorities = all;
	return 0;
}

/* X.cert needs X.key and the other way round. */
static int add_pair(const char *path, const char *name, struct http_tls *tls, struct error *err)
{
	size_t stem = (size_t)(strrchr(name, '.') - name);
	cleanup_free char *certificate = xasprintf("%s/%.*s.cert", path, (int)stem, name);
	cleanup_free char *key = xasprintf("%s/%.*s.key", path, (int)stem, name);
	bool is_key = ends_with(name, ".key");

	if (access(is_key ? certificate : key, R_OK) < 0) {
		error_os(err, "%s/%s: its other half %s", path, name, is_key ? certificate : key);
		return error_missing_is(err, ERROR_FAILED);
	}
	if (is_key || tls->certificate)
		return 0;
	tls->certificate = steal_ptr(&certificate);
	tls->key = steal_ptr(&key);
	return 0;
}

static int load_dir(int dir_fd, const char *path, struct http_tls *tls, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(dir_fd, ".", &names) < 0)
		return error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (ends_with(name, ".crt") && add_authority(dir_fd, name, tls, err) < 0)
			return error_prefix(err, "%s", path);
		if ((ends_with(name, ".cert") || ends_with(name, ".key")) &&
		    add_pair(path, name, tls, err) < 0)
			return -1;
	}
	return 0;
}

int certs_load(const char *cert_dir, const char *registry, struct http_tls *tls, struct error *err)
{
	cleanup_strings struct strings paths = { 0 };

	/* an empty one is none, as with skopeo: "$dir" of a script may be */
	if (cert_dir && cert_dir[0]) {
		cleanup_fd int fd = open(cert_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			return load_dir(fd, cert_dir, tls, err);
		error_os(err, "%s", cert_dir);
		return error_missing_is(err, ERROR_USAGE);
	}
	config_directories("certs", ".d", &paths);
	strings_add(&paths, "/etc/docker/certs.d");
	for (size_t i = 0; i < paths.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", paths.items[i], registry);
		cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			return load_dir(fd, path, tls, err);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return error_os(err, "%s", path);
	}
	return 0;
}

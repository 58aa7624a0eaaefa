/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures below a URL: BASE/REPOSITORY@ALGORITHM=HEX/signature-1 and so on, without a gap. */
#include "lib/cleanup.h"
#include "lib/digest.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/reference.h"
#include "skopeo-c/lookaside.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/signature.h"
#include "skopeo-c/web_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_SCHEME "file://"

static bool is_file(const char *url)
{
	return strncmp(url, FILE_SCHEME, strlen(FILE_SCHEME)) == 0;
}

/* Where the signatures of a manifest are. The caller frees it. */
static char *manifest_url(const char *base, const struct reference *reference, const char *digest)
{
	size_t length = strlen(base), start = (size_t)(strstr(base, "://") + 3 - base);

	while (length > start && base[length - 1] == '/')
		length--;
	return xasprintf("%.*s/%s@%.*s=%s", (int)length, base, reference->repository,
			 (int)strcspn(digest, ":"), digest, digest_hex(digest));
}

/* ---- reading ---- */

/* 1: there is none of that number. */
static int read_file(const char *path, char **bytes, size_t *length, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd < 0)
		return error_os(err, "%s", path);
	*bytes = file_read_fd(fd, SIGNATURE_MAX, length, path, err);
	return *bytes ? 0 : -1;
}

static int read_url(const struct registry *lender, const char *url, char **bytes, size_t *length,
		    struct error *err)
{
	cleanup_web_server struct web_server server = { 0 };
	cleanup_registry_call struct registry_call call = { 0 };

	web_server_open(&server, url, "signatures", lender, registry_tls(lender, url));
	registry_call_init(&call, &server.registry, "GET", xstrdup(url));
	call.request.answer_max = SIGNATURE_MAX;
	if (registry_call_run(&call, err) < 0)
		return error_prefix(err, "the lookaside %s", url);
	if (call.request.status == 404)
		return 1;
	if (call.request.status != 200)
		return error_set(err, ERROR_FAILED, "the lookaside %s answered %d", url,
				 call.request.status);
	*length = call.request.answer_length;
	*bytes = steal_ptr(&call.request.answer);
	return 0;
}

/* registry: as for read_url(); NULL where the URL is known to be a file's. */
static int read_all(const char *url, const struct registry *registry, struct signatures *signatures,
		    struct error *err)
{
	bool reads_file = !registry || is_file(url);

	for (int number = 1;; number++) {
		cleanup_free char *name = xasprintf("%s/signature-%d", url, number);
		cleanup_free char *bytes = NULL;
		cleanup_signature struct signature signature = { 0 };
		size_t length = 0;
		int status = reads_file
				     ? read_file(name + strlen(FILE_SCHEME), &bytes, &length, err)
				     : read_url(registry, name, &bytes, &length, err);

		if (status != 0)
			return status < 0 ? -1 : 0;
		if (signature_from_file(bytes ? bytes : "", length, name, &signature, err) < 0 ||
		    signatures_add(signatures, &signature, err) < 0)
			return -1;
	}
}

int lookaside_read(const struct lookaside *lookaside, const struct reference *reference,
		   const char *digest, const struct registry *registry,
		   struct signatures *signatures, struct error *err)
{
	cleanup_free char *url = manifest_url(lookaside->read, reference, digest);

	return read_all(url, registry, signatures, err);
}

int lookaside_read_staged(const struct lookaside *lookaside, const struct reference *reference,
			  const char *digest, struct signatures *signatures, struct error *err)
{
	cleanup_free char *url = manifest_url(lookaside->write, reference, digest);
	cleanup_signatures struct signatures staged = { 0 };

	if (is_file(url) && read_all(url, NULL, &staged, err) < 0)
		return -1;
	for (size_t i = 0; i < staged.count; i++)
		if (!signatures_have(signatures, &staged.items[i]) &&
		    signatures_add(signatures, &staged.items[i], err) < 0)
			return -1;
	return 0;
}

/* ---- writing ---- */

static int write_one(int dir_fd, int number, const struct signature *signature, struct error *err)
{
	cleanup_free char *name = xasprintf("signature-%d", number);
	size_t length;
	cleanup_free char *bytes = signature_to_file(signature, &length);

	return file_replace_at(dir_fd, name, bytes, length, 0644, err);
}

/* Add what is missing, under the lock of the directory. */
static int add_missing(int dir_fd, const char *url, const struct signatures *signatures,
		       struct error *err)
{
	cleanup_signatures struct signatures present = { 0 };
	int number = 0;

	if (read_all(url, NULL, &present, err) < 0)
		return -1;
	number = (int)present.count;
	for (size_t i = 0; i < signatures->count; i++) {
		const struct signature *signature = &signatures->items[i];

		if (signature->kind == SIGNATURE_SIMPLE && !signatures_have(&present, signature) &&
		    write_one(dir_fd, ++number, signature, err) < 0)
			return error_prefix(err, "%s", url);
	}
	return 0;
}

static int check_scheme(const struct lookaside *lookaside, struct error *err)
{
	if (is_file(lookaside->write))
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "signatures cannot be written to the lookaside %s",
		  lookaside->write);
	return error_hint(err, "name a lookaside-staging in registries.d");
}

/* Whether a directory can be made where there is none: in the first above it that there is. */
static int check_new_directory(const char *path, struct error *err)
{
	cleanup_free char *above = xstrdup(path);
	int mode = F_OK;

	for (;;) {
		cleanup_free char *directory = xasprintf("%s/.", above);

		if (faccessat(AT_FDCWD, directory, mode, AT_EACCESS) == 0)
			return 0;
		if (errno != ENOENT)
			return error_os(err, "%s", above);
		*strrchr(above, '/') = '\0';
		mode = W_OK | X_OK;
	}
}

int lookaside_check_write(const struct lookaside *lookaside, const struct reference *reference,
			  const char *digest, struct error *err)
{
	cleanup_free char *url = manifest_url(lookaside->write, reference, digest);

	if (check_scheme(lookaside, err) < 0)
		return -1;
	return check_new_directory(url + strlen(FILE_SCHEME), err);
}

int lookaside_write(const struct lookaside *lookaside, const struct reference *reference,
		    const char *digest, const struct signatures *signatures, struct error *err)
{
	cleanup_free char *url = manifest_url(lookaside->write, reference, digest);
	const char *path = url + strlen(FILE_SCHEME);

	if (check_scheme(lookaside, err) < 0 || path_make_dirs(path, 0755, err) < 0)
		return -1;
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_os(err, "%s", path);
	return add_missing(fd, url, signatures, err);
}

/* ---- deleting ---- */

static int delete_all(int dir_fd, const char *path, struct error *err)
{
	for (int number = 1;; number++) {
		cleanup_free char *name = xasprintf("signature-%d", number);

		if (unlinkat(dir_fd, name, 0) < 0)
			return errno == ENOENT ? 0 : error_os(err, "%s/%s", path, name);
	}
}

int lookaside_delete(const struct lookaside *lookaside, const struct reference *reference,
		     const char *digest, struct error *err)
{
	cleanup_free char *url = manifest_url(lookaside->write, reference, digest);
	const char *path = url + strlen(FILE_SCHEME);

	if (!is_file(url))
		return 0;
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_os(err, "%s", path);
	return delete_all(fd, path, err);
}

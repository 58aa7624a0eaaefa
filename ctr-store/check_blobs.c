/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/check.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/digest.h"
#include "lib/directory.h"
#include "lib/lock.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK = 1 << 20 };

/* Fills `digest` with that of the file's content; the algorithm is that of `like`. */
static int hash_file(int fd, const char *like, unsigned char *buffer,
		     char digest[static DIGEST_SIZE], struct error *err)
{
	cleanup_hasher struct hasher hasher = { 0 };
	ssize_t got;

	hasher_start(&hasher, like);
	while ((got = read(fd, buffer, READ_CHUNK)) > 0) {
		hasher_update(&hasher, buffer, (size_t)got);
		if (cli_interrupted())
			return cli_fail_interrupted(err);
	}
	if (got < 0)
		return error_os(err, "blob %s", like);
	hasher_finish(&hasher, digest);
	return 0;
}

/* Remove the file that was read, unless another has taken its place. */
static bool remove_blob(const struct check *check, int dir_fd, const char *name, int fd)
{
	struct error ignored;
	struct stat by_name, by_fd;
	cleanup_fd int gate = staging_gate(check->store, LOCK_EXCLUSIVE, &ignored);

	return gate >= 0 && fstatat(dir_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
	       unlinkat(dir_fd, name, 0) == 0;
}

/* Remove what is no file, unless one has taken its place. */
static bool remove_other(const struct check *check, int dir_fd, const char *name)
{
	struct error ignored;
	struct stat st;
	cleanup_fd int gate = staging_gate(check->store, LOCK_EXCLUSIVE, &ignored);

	return gate >= 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISREG(st.st_mode) && path_remove_tree(dir_fd, name, &ignored) == 0;
}

static int check_blob(struct check *check, int dir_fd, const char *algorithm, const char *name,
		      unsigned char *buffer, struct error *err)
{
	cleanup_free char *digest = xasprintf("%s:%s", algorithm, name);
	char found[DIGEST_SIZE];
	struct stat st;

	if (!digest_is_valid(digest)) {
		check_found(check, "blob", digest, "its name is not a digest", NULL);
		return 0;
	}
	cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* removed meanwhile */
	/* a link; a socket */
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return error_os(err, "blob %s", digest);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		json_object_set_new(check->damaged, digest, json_true());
		check_found(check, "blob", digest, "it is not a file",
			    check->repair && remove_other(check, dir_fd, name) ? "removed" : NULL);
		return 0;
	}
	int status = hash_file(fd, digest, buffer, found, err);
	if (status < 0 && err->os != EIO)
		return -1;
	if (status == 0 && strcmp(found, digest) == 0)
		return 0;

	cleanup_free char *problem =
		status < 0 ? xstrdup(err->message) : xasprintf("its content is %s", found);
	json_object_set_new(check->damaged, digest, json_true());
	bool removed = check->repair && remove_blob(check, dir_fd, name, fd);
	check_found(check, "blob", digest, problem, removed ? "removed" : NULL);
	return 0;
}

static int check_algorithm(struct check *check, const char *algorithm, unsigned char *buffer,
			   struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/%s", algorithm);
	cleanup_fd int fd =
		openat(check->layout.fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_strings struct strings names = { 0 };

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || directory_names(fd, ".", &names) < 0)
		return error_os(err, "%s/%s", check->layout.path, path);
	for (size_t i = 0; i < names.count; i++)
		/* a name with a dot is a file that is being written */
		if (names.items[i][0] != '.' &&
		    check_blob(check, fd, algorithm, names.items[i], buffer, err) < 0)
			return -1;
	return 0;
}

int check_blobs(struct check *check, struct error *err)
{
	cleanup_free unsigned char *buffer = xcalloc(1, READ_CHUNK);

	if (check_algorithm(check, "sha256", buffer, err) < 0)
		return -1;
	return check_algorithm(check, "sha512", buffer, err);
}

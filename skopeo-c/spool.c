/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/spool.h"

#include "lib/cleanup.h"
#include "lib/lock.h"
#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_without_unnamed_files(int os)
{
	return os == EOPNOTSUPP || os == EISDIR || os == EINVAL;
}

static int open_named(const char *directory, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/.new.XXXXXX", directory);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "cannot make a temporary file in %s", directory);
	unlink(path);
	return fd;
}

int spool_open(const char *directory, struct error *err)
{
	const char *temporary = getenv("TMPDIR");
	struct error ignored; /* a file system without locks is never swept either */

	if (!directory)
		directory = temporary && temporary[0] ? temporary : "/var/tmp";
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && !is_without_unnamed_files(errno))
		return error_os(err, "cannot make a temporary file in %s", directory);
	if (fd < 0)
		return open_named(directory, err);
	(void)lock_file(fd, LOCK_EXCLUSIVE, false, "new file", &ignored);
	return fd;
}

/* The deepest directory above `path`, or itself, that exists and can be written. */
static char *existing_directory(const char *path)
{
	cleanup_free char *at = xstrdup(path);
	char *slash;

	while (access(at, W_OK | X_OK) < 0 && (slash = strrchr(at, '/')) && slash > at)
		*slash = '\0';
	if (access(at, W_OK | X_OK) < 0)
		return path[0] == '/' ? NULL : xstrdup(".");
	return steal_ptr(&at);
}

char *spool_directory_for(const char *destination, const char *root)
{
	size_t prefix = strcspn(destination, ":") + 1;
	cleanup_free char *path =
		xstrndup(destination + prefix, strcspn(destination + prefix, ":"));

	if (strncmp(destination, "store:", 6) == 0)
		return existing_directory(root);
	if (strncmp(destination, "oci:", 4) == 0)
		return existing_directory(path);
	if (strncmp(destination, "dir:", 4) == 0)
		return existing_directory(destination + prefix);
	return NULL;
}

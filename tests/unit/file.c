/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/file.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 4, ROUNDS = 50, BYTES = 10000 };

static int replace_often(int dir_fd, char letter)
{
	char text[BYTES];
	struct error err;

	memset(text, letter, sizeof text);
	for (int i = 0; i < ROUNDS; i++)
		if (file_replace_at(dir_fd, "name", text, sizeof text, 0640, &err) < 0)
			return 1;
	return 0;
}

/* One writer's bytes, all of them. */
static bool is_whole(int dir_fd)
{
	size_t length;
	struct error err;
	cleanup_free char *text = file_read_at(dir_fd, "name", BYTES + 1, &length, &err);

	return text && length == BYTES && strspn(text, (char[]){ text[0], 0 }) == BYTES;
}

static int count_entries(int dir_fd)
{
	int count = 0;
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count - 2; /* "." and ".." */
}

static void test_writers(int dir_fd)
{
	bool whole = true;
	int failed = 0, running = WRITERS, status;

	replace_often(dir_fd, '0');
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			_exit(replace_often(dir_fd, (char)('a' + i)));
	while (running > 0) {
		whole = whole && is_whole(dir_fd);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			running--;
			failed += status != 0;
		}
	}
	ok(failed == 0, "several writers of one file at once all succeed");
	ok(whole, "a reader meanwhile sees the whole bytes of one of them");
	ok(count_entries(dir_fd) == 1, "they leave nothing beside the file");
}

/* Of a file of root's that another user replaces. */
static void test_inherit(int dir_fd)
{
	const struct stat replaced = { .st_mode = S_IFREG | 0664 };
	struct stat status;
	cleanup_fd int fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	ok(fchown(fd, 1000, 1000) == 0 && setegid(1000) == 0 && setgroups(0, NULL) == 0 &&
		   seteuid(1000) == 0 && file_inherit(fd, &replaced) == 0 &&
		   fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0644,
	   "another group gets no more than everybody");
	ok(seteuid(0) == 0 && setegid(0) == 0 && file_inherit(fd, &replaced) == 0 &&
		   fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0664 &&
		   status.st_uid == 0,
	   "its own group what it had");
}

int main(void)
{
	char top[] = "/tmp/ocid-file-XXXXXX";
	struct error err;
	struct stat status;

	if (!mkdtemp(top))
		return 1;
	cleanup_fd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(077);
	ok(file_replace_at(fd, "name", "old", 3, 0644, &err) == 0 &&
		   fstatat(fd, "name", &status, 0) == 0 && (status.st_mode & 07777) == 0644,
	   "a new file has the mode that was asked for, whatever the umask");
	close(openat(fd, ".name.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ok(file_replace_at(fd, "name", "new", 3, 0600, &err) == 0 && count_entries(fd) == 1,
	   "what somebody left who was killed is taken away");
	test_writers(fd);
	if (geteuid() == 0)
		test_inherit(fd);
	ok(file_replace_volatile_at(fd, "name", "newer", 5, 0640, &err) == 0 &&
		   count_entries(fd) == 1 && fstatat(fd, "name", &status, 0) == 0 &&
		   (status.st_mode & 07777) == 0640 && status.st_size == 5,
	   "so does one who does not wait for the disk");
	ok(file_publish_at(fd, "name", "newest", 6, 0600, &err) == 0 && count_entries(fd) == 1 &&
		   fstatat(fd, "name", &status, 0) == 0 && status.st_size == 6,
	   "and one who waits once");
	size_t length;
	cleanup_free char *whole = file_read_at(fd, "name", 6, &length, &err);
	ok(whole && length == 6 && !file_read_at(fd, "name", 5, &length, &err) &&
		   err.kind == ERROR_LIMIT,
	   "as many bytes are read as may be, and not one more");
	ok(file_create_at(fd, "name", "other", 5, 0600, &err) < 0 && err.kind == ERROR_EXISTS &&
		   fstatat(fd, "name", &status, 0) == 0 && status.st_size == 6,
	   "one that is there is not made");
	ok(file_create_at(fd, "made", "text", 4, 0600, &err) == 0 && count_entries(fd) == 2 &&
		   fstatat(fd, "made", &status, 0) == 0 && status.st_size == 4 &&
		   unlinkat(fd, "made", 0) == 0,
	   "a new one is");
	ok(file_replace_at(fd, "none/name", "x", 1, 0600, &err) < 0 && err.kind == ERROR_NOT_FOUND,
	   "a directory that is not there is not found");
	cleanup_free char *path = xasprintf("%s/absolute", top);
	ok(file_replace_at(AT_FDCWD, path, "x", 1, 0600, &err) == 0 && count_entries(fd) == 2 &&
		   mkdirat(fd, "sub", 0700) == 0 &&
		   file_replace_at(fd, "sub/relative", "x", 1, 0600, &err) == 0 &&
		   faccessat(fd, "sub/relative", F_OK, 0) == 0,
	   "a path leads to the directory that the file is in");
	unlinkat(fd, "sub/relative", 0);
	unlinkat(fd, "sub", AT_REMOVEDIR);
	unlinkat(fd, "absolute", 0);
	unlinkat(fd, "name", 0);
	rmdir(top);
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/directory.h"

#include "tests/unit/tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 100 };

/* How many entries the disk still gives; below 0: all. */
static int left = -1;

struct dirent *readdir(DIR *directory)
{
	struct dirent *(*disk)(DIR *) = dlsym(RTLD_NEXT, "readdir64");

	if (left == 0) {
		errno = EIO;
		return NULL;
	}
	left -= left > 0;
	return disk(directory);
}

static int make(int fd)
{
	for (int i = 0; i < MANY; i++) {
		char name[] = "00";

		snprintf(name, sizeof name, "%02d", MANY - 1 - i);
		mkdirat(fd, name, 0700);
	}
	return symlinkat("00", fd, "link");
}

static void test_names(int fd)
{
	struct strings names = { 0 };

	ok(directory_names(fd, ".", &names) == 0 && names.count == MANY + 1,
	   "all but the directory and the one above");
	is(names.items[0], "00", "in order");
	is(names.items[MANY - 1], "99", "to the last");
	is(names.items[MANY], "link", "whatever they are");
	strings_free(&names);
	ok(directory_names(fd, "00", &names) == 0 && names.count == 0, "an empty one has none");
	ok(directory_names(fd, "none", &names) < 0 && errno == ENOENT, "one that is not there");
}

static void test_links(const char *top, int fd)
{
	struct strings names = { 0 };
	char path[64];

	snprintf(path, sizeof path, "%s/link", top);
	ok(directory_names(fd, "link", &names) < 0 && errno == ENOTDIR,
	   "a link in a directory of ours is none");
	ok(directory_names(AT_FDCWD, path, &names) == 0, "one of the user's is followed");
}

static void test_errors(int fd)
{
	struct strings names = { 0 };
	DIR *directory = directory_open(fd, ".");

	left = MANY / 2;
	ok(directory_names(fd, ".", &names) < 0 && errno == EIO && names.count == 0,
	   "an error of the disk is not the end");
	left = 3;
	while (directory_next(directory))
		;
	ok(errno == EIO, "nor is it where one entry is taken after the other");
	left = -1;
	while (directory_next(directory))
		;
	ok(errno == 0, "the end is no error");
	closedir(directory);
}

int main(void)
{
	char top[] = "/tmp/ocid-directory-XXXXXX";
	int fd = mkdtemp(top) ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0 || make(fd) < 0)
		return 1;
	test_names(fd);
	test_links(top, fd);
	test_errors(fd);

	for (int i = 0; i < MANY; i++) {
		char name[] = "00";

		snprintf(name, sizeof name, "%02d", i);
		unlinkat(fd, name, AT_REMOVEDIR);
	}
	unlinkat(fd, "link", 0);
	rmdir(top);
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/path.h"

#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

/* So many of them, up to 256; borrowed. */
static const char *letters(size_t count)
{
	static char text[257];

	memset(text, 'a', sizeof text - 1);
	return text + sizeof text - 1 - count;
}

/* A directory deeper than any limit on descriptors or on the length of a path. */
static int make_deep(int dir_fd, int depth)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < depth; i++) {
		int next = mkdirat(fd, "deep", 0700) < 0
				   ? -1
				   : openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = next;
	}
	return fd < 0 ? -1 : close(fd);
}

int main(void)
{
	char top[] = "/tmp/ocid-path-XXXXXX";
	struct error err;
	int fd;

	ok(path_is_name("a.b c"), "a name");
	ok(!path_is_name(".") && !path_is_name("..") && !path_is_name("") && !path_is_name("a/b") &&
		   !path_is_name("a\nb") && !path_is_name("a\x7f"),
	   "what is no name");
	ok(path_descends("a") && path_descends("a/b.c/d"), "a path downwards");
	ok(!path_descends("") && !path_descends("/a") && !path_descends("a/") &&
		   !path_descends("a//b") && !path_descends("a/../b") && !path_descends("./a"),
	   "what may lead elsewhere");
	ok(path_is_id("a-b_c.1"), "an id");
	ok(path_is_name(letters(255)) && !path_is_name(letters(256)), "a name has up to 255 bytes");
	ok(path_is_id(letters(128)) && !path_is_id(letters(129)), "an id up to 128");
	ok(path_make_dirs("", 0700, &err) < 0 && err.kind == ERROR_NOT_FOUND,
	   "no path is no directory");
	ok(!path_is_id("") && !path_is_id(".a") && !path_is_id("-a") && !path_is_id("a/b") &&
		   !path_is_id("a b"),
	   "what is no id");

	if (!mkdtemp(top) || (fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	mkdirat(fd, "in", 0700);
	make_file(fd, "secret");
	int in = openat(fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(in, "etc", 0700);
	make_file(in, "etc/passwd");
	ok(symlinkat("../secret", in, "up") == 0 && symlinkat("/etc/passwd", in, "absolute") == 0 &&
		   symlinkat("etc", in, "link") == 0 && symlinkat("loop", in, "loop") == 0,
	   "links to test with");

	static const struct {
		const char *path;
		int beneath, in_root; /* 1: opens */
	} cases[] = {
		{ "etc/passwd", 1, 1 },	 { "../secret", 0, 0 },	  { "etc/../../secret", 0, 0 },
		{ "up", 0, 0 },		 { "absolute", 0, 1 }, /* the container's own /etc/passwd */
		{ "link/passwd", 0, 1 }, { "/etc/passwd", 0, 1 }, { "loop", 0, 0 },
		{ "missing", 0, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int got = path_open_beneath(in, cases[i].path, O_RDONLY, &err);

		ok((got >= 0) == cases[i].beneath, "beneath: %s", cases[i].path);
		if (got >= 0)
			close(got);
		got = path_open_in_root(in, cases[i].path, O_RDONLY, &err);
		ok((got >= 0) == cases[i].in_root, "in root: %s", cases[i].path);
		if (got >= 0)
			close(got);
	}

	int etc = path_open_directory(in, "etc", &err);
	ok(etc >= 0 && close(etc) == 0, "a directory by its name");
	ok(path_open_directory(in, "link", &err) < 0 && err.os == ENOTDIR, "a link to one is none");
	ok(path_remove_tree(in, "up", &err) == 0 && faccessat(fd, "secret", F_OK, 0) == 0,
	   "removing a link leaves what it points at");
	const struct rlimit few = { 256, 256 };
	ok(setrlimit(RLIMIT_NOFILE, &few) == 0 && make_deep(in, 3000) == 0,
	   "a tree 3,000 deep, and few descriptors");
	make_file(in, "etc/other");
	ok(path_remove_tree(fd, "in", &err) == 0 && faccessat(fd, "in", F_OK, 0) < 0 &&
		   errno == ENOENT,
	   "is removed with everything beside it");
	ok(path_remove_tree(fd, "in", &err) == 0, "what is absent is removed");
	close(in);

	char kept[64], mounted[64];
	snprintf(kept, sizeof kept, "%s/kept", top);
	snprintf(mounted, sizeof mounted, "%s/holder/mnt", top);
	mkdirat(fd, "kept", 0700);
	make_file(fd, "kept/file");
	ok(path_make_dirs(mounted, 0700, &err) == 0 &&
		   mount(kept, mounted, NULL, MS_BIND, NULL) == 0,
	   "a mount of the same file system");
	ok(path_remove_tree(fd, "holder", &err) < 0 && err.kind == ERROR_IN_USE &&
		   faccessat(fd, "kept/file", F_OK, 0) == 0,
	   "is not entered");
	ok(umount2(mounted, 0) == 0 && path_remove_tree(fd, "holder", &err) == 0,
	   "and its directory goes when it is unmounted");

	char nested[64];
	snprintf(nested, sizeof nested, "%s/a/b/c", top);
	ok(path_make_dirs(nested, 0700, &err) == 0 && access(nested, F_OK) == 0, "mkdir -p");
	ok(path_make_dirs(nested, 0700, &err) == 0, "twice");
	snprintf(nested, sizeof nested, "%s/secret/x", top);
	ok(path_make_dirs(nested, 0700, &err) < 0, "not below a file");
	close(fd);
	int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok(path_remove_tree(parent, top + 5, &err) == 0, "clean");
	close(parent);
	return tap_done();
}

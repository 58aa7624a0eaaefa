/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/namespace.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sched.h>

static void check(const char *path, int type, bool expected, const char *name)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	ok(fd >= 0 && namespace_is(fd, type) == expected, "%s", name);
}

int main(void)
{
	check("/proc/self/ns/net", CLONE_NEWNET, true, "a network namespace is one");
	check("/proc/self/ns/uts", CLONE_NEWUTS, true, "a UTS namespace is one");
	check("/proc/self/ns/uts", CLONE_NEWNET, false, "one of another type");
	check("/proc/self/ns/uts", 0, false, "no type");
	check("/proc/self/status", CLONE_NEWNET, false, "another file of /proc");
	check("/dev/null", CLONE_NEWNET, false, "a device");
	check("/", CLONE_NEWNET, false, "a directory");
	ok(!namespace_is(-1, CLONE_NEWNET), "no file");
	return tap_done();
}

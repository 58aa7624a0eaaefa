/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cgroup.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "ocid-shim/monitor/cgroup_path.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

#define TOP "/sys/fs/cgroup"

static void test_directories(void)
{
	static const struct {
		const char *line, *directory;
	} cases[] = {
		{ "5:memory:/a/b", TOP "/memory/a/b" },
		{ "4:cpu,cpuacct:/", TOP "/cpu,cpuacct/" },
		{ "1:name=systemd:/a", TOP "/systemd/a" },
		{ "5:memory:/a:b", TOP "/memory/a:b" },
		/* what is outside of our cgroup namespace */
		{ "5:memory:/../a", NULL },
		{ "5:memory:/a/../../b", NULL },
		{ "0::/..", NULL },
		{ "5:memory:a", NULL },
		{ "5:memory:", NULL },
		{ "5:memory", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cleanup_free char *directory = cgroup_directory(cases[i].line);

		is(directory, cases[i].directory, "directory of \"%s\"", cases[i].line);
	}

	cleanup_free char *v2 = cgroup_directory("0::/a");
	is(v2, access(TOP "/unified", F_OK) == 0 ? TOP "/unified/a" : TOP "/a", "directory in v2");
}

static void test_lengths(void)
{
	static const struct {
		const char *path, *end, *own;
	} cases[] = {
		{ "/pod/id", "/id", "/pod/id" },
		{ "/pod/id/below", "/id", "/pod/id" },
		{ "/pod/id\n/other", "/id", "/pod/id" },
		{ "/pod/id2/id", "/id", "/pod/id2/id" },
		{ "/pod/id2", "/id", "/pod/id2" },
		{ "/pod/idle\n/id", "/id", "/pod/idle" },
		{ "/p.slice/ocid-id.scope", "-id.scope", "/p.slice/ocid-id.scope" },
		{ "/p.slice/ocid-id.scope/container/x", "-id.scope",
		  "/p.slice/ocid-id.scope/container" },
		{ "/p.slice/ocid-id.scope/containers", "-id.scope", "/p.slice/ocid-id.scope" },
		{ "/pod/id/container", "/id", "/pod/id" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length = cgroup_path_length(cases[i].path, cases[i].end);
		cleanup_free char *own = xstrndup(cases[i].path, length);

		is(own, cases[i].own, "the part with the end \"%s\", case %zu", cases[i].end, i);
	}
}

int main(void)
{
	test_directories();
	test_lengths();
	return tap_done();
}

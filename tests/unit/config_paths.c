/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config_paths.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	cleanup_strings struct strings files = { 0 }, directories = { 0 }, others = { 0 };
	cleanup_free char *machine =
		geteuid() == 0
			? xstrdup("/etc/containers/registries.rootful.conf.d")
			: xasprintf("/etc/containers/registries.rootless.conf.d/%u", geteuid());

	setenv("HOME", "/home/me", 1);
	setenv("XDG_CONFIG_HOME", "", 1);
	config_files("policy.json", &files);
	ok(files.count == 3, "three places of a file");
	is(files.items[0], "/home/me/.config/containers/policy.json", "the user's is the first");
	is(files.items[1], "/etc/containers/policy.json", "the machine's");
	is(files.items[2], "/usr/share/containers/policy.json", "the distribution's");

	config_directories("registries", ".conf.d", &directories);
	is(directories.items[0], "/home/me/.config/containers/registries.conf.d",
	   "the user's drop-ins");
	is(directories.items[1], machine, "those of the machine for this kind of user");
	is(directories.items[directories.count - 1], "/usr/share/containers/registries.conf.d",
	   "those of the distribution for all");

	setenv("XDG_CONFIG_HOME", "/x", 1);
	config_directories("certs", ".d", &others);
	is(others.items[0], "/x/containers/certs.d", "XDG_CONFIG_HOME");
	return tap_done();
}

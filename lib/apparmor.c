/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/apparmor.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PROFILES_MAX = 1 << 20 }; /* bytes of the list of loaded profiles */

bool apparmor_enabled(void)
{
	char state = 'N';
	cleanup_fd int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 && read(fd, &state, 1) == 1 && state == 'Y';
}

enum apparmor_presence apparmor_presence(const char *profile)
{
	size_t size, length = strlen(profile);
	struct error unused;
	cleanup_free char *profiles = file_read_at(
		AT_FDCWD, "/sys/kernel/security/apparmor/profiles", PROFILES_MAX, &size, &unused);

	if (!profiles)
		return APPARMOR_HIDDEN;
	/* lines of NAME (MODE) */
	for (const char *line = profiles; *line; line += *line == '\n') {
		if (strncmp(line, profile, length) == 0 && strncmp(line + length, " (", 2) == 0)
			return APPARMOR_LOADED;
		line += strcspn(line, "\n");
	}
	return APPARMOR_ABSENT;
}

const char *apparmor_default(void)
{
	static const char *const names[] = { APPARMOR_DEFAULT, "cri-containerd.apparmor.d",
					     "docker-default", "containers-default" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (apparmor_presence(names[i]) == APPARMOR_LOADED)
			return names[i];
	return NULL;
}

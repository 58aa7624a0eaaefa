/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/user_namespace.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PROC_USER_INIT_INO of the kernel */
static const ino_t initial_namespace = 0xeffffffd;

enum { OVERFLOW_UID = 65534, MAP_MAX = 64 << 10 };

bool user_namespace_is_own(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != initial_namespace;
}

/* The map is one line of three numbers, the last of which is 1. */
bool user_namespace_has_one_user(void)
{
	struct error ignored;
	size_t length;
	cleanup_free char *map =
		file_read_at(AT_FDCWD, "/proc/self/uid_map", MAP_MAX, &length, &ignored);
	const char *end = map ? strchr(map, '\n') : NULL;

	return end && end[1] == '\0' && end - map > 2 && end[-1] == '1' && end[-2] == ' ';
}

bool user_namespace_marks(const struct store *store)
{
	struct stat st;

	return user_namespace_is_own() || (stat(store->root, &st) == 0 && st.st_uid != 0);
}

bool user_namespace_marks_alike(const struct store *store, const char *root)
{
	uid_t roots = user_namespace_is_own() ? OVERFLOW_UID : 0; /* what root's uid is here */
	struct stat st;

	return stat(root, &st) == 0 && (st.st_uid != roots) == user_namespace_marks(store);
}

const char *user_namespace_advice(void)
{
	return geteuid() == 0 ? "" : " (run it in ctr-store unshare)";
}

int user_namespace_hint(struct error *err)
{
	return geteuid() == 0 ? error_hint(err, "needs CAP_SYS_ADMIN")
			      : error_hint(err, "run it in ctr-store unshare");
}

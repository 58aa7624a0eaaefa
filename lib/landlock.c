/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/landlock.h"

#include "lib/cleanup.h"

#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12 (ABI 3 to 6). */
enum {
	ACCESS_FS_TRUNCATE = 1 << 14,
	ACCESS_FS_IOCTL_DEV = 1 << 15,
	ACCESS_NET_TCP = 3, /* bind and connect */
	SCOPE_ALL = 3	    /* abstract unix sockets and signals */
};

struct ruleset_attributes {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static long supported_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* The rights that change a file system. */
static uint64_t write_rights(long abi)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	return abi >= 3 ? rights | ACCESS_FS_TRUNCATE : rights;
}

/* A descriptor. */
static int make_ruleset(long abi, uint64_t files, struct error *err)
{
	/* a kernel that knows fewer fields takes longer structures whose rest is zero */
	struct ruleset_attributes attributes = {
		.handled_access_fs = files | (abi >= 5 ? (uint64_t)ACCESS_FS_IOCTL_DEV : 0),
		.handled_access_net = abi >= 4 ? ACCESS_NET_TCP : 0,
		.scoped = abi >= 6 ? SCOPE_ALL : 0,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

	return fd < 0 ? error_os(err, "cannot apply Landlock") : fd;
}

static int enforce(int ruleset, struct error *err)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0
		       ? error_os(err, "cannot apply Landlock")
		       : 0;
}

int landlock_deny_files(struct error *err)
{
	const uint64_t reading = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				 LANDLOCK_ACCESS_FS_READ_DIR;
	long abi = supported_abi();
	cleanup_fd int ruleset = abi < 1 ? -1 : make_ruleset(abi, reading | write_rights(abi), err);

	if (abi < 1)
		return 0;
	return ruleset < 0 ? -1 : enforce(ruleset, err);
}

int landlock_deny_changes(int directory_fd, struct error *err)
{
	long abi = supported_abi();
	struct landlock_path_beneath_attr allowed = { .allowed_access = write_rights(abi),
						      .parent_fd = directory_fd };
	/* ABI 1 cannot allow hard links between directories */
	cleanup_fd int ruleset =
		abi < 2 ? -1
			: make_ruleset(abi, write_rights(abi) | LANDLOCK_ACCESS_FS_EXECUTE, err);

	if (abi < 2)
		return 0;
	if (ruleset < 0)
		return -1;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &allowed, 0) < 0)
		return error_os(err, "cannot apply Landlock");
	return enforce(ruleset, err);
}

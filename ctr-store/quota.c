/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/quota.h"

#include "lib/cleanup.h"
#include "lib/lock.h"
#include "lib/random.h"
#include "lib/store.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PROJECTS = 2, /* the kind of quota: PRJQUOTA of the kernel, which the C library lacks */
	BLOCK = 1024, /* the unit of limits, quotactl(2) */
	TRIES_MAX = 64,
};

int quota_parse(const char *text, long long *bytes, struct error *err)
{
	static const char units[] = "KMGT";
	char *end;

	errno = 0;
	long long number = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : 0;
	const char *unit = number > 0 && *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;

	if (number <= 0 || errno || (*end && (!unit || end[1])) || number > LLONG_MAX >> shift)
		return error_set(err, ERROR_USAGE,
				 "--size: \"%s\" is not a number of bytes, with K, M, G or T",
				 text);
	*bytes = number << shift;
	return 0;
}

static int control(int fd, int command, uint32_t project, void *data)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD((unsigned)command, PROJECTS), project, data);
}

static bool is_enforced(int fd)
{
	struct fs_quota_stat state = { .qs_version = FS_QSTAT_VERSION };

	return control(fd, Q_XGETQSTAT, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD);
}

static bool is_free(int fd, uint32_t project)
{
	struct dqblk quota = { 0 };

	if (control(fd, Q_GETQUOTA, project, &quota) < 0)
		return errno == ENOENT || errno == ESRCH;
	return quota.dqb_curspace == 0 && quota.dqb_bhardlimit == 0 && quota.dqb_curinodes == 0;
}

/* Of the upper half, since administrators count from below (projid(5)); 0 where none is free. */
static uint32_t choose_project(int fd)
{
	char random[RANDOM_NAME_SIZE];

	for (int i = 0; i < TRIES_MAX; i++) {
		random_name(random);
		random[8] = '\0';
		uint32_t project = ((uint32_t)strtoul(random, NULL, 16) & 0x7fffffff) | 0x40000000;
		if (is_free(fd, project))
			return project;
	}
	return 0;
}

static int set_limit(int fd, uint32_t project, long long bytes)
{
	struct dqblk quota = { .dqb_bhardlimit = ((uint64_t)bytes + BLOCK - 1) / BLOCK,
			       .dqb_valid = QIF_BLIMITS };

	return control(fd, Q_SETQUOTA, project, &quota);
}

/* What is made in the directory from now on belongs to the project too. */
static int assign(int container_fd, const char *name, uint32_t project, struct error *err)
{
	struct fsxattr attributes;
	cleanup_fd int fd =
		openat(container_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return error_os(err, "quota of %s", name);
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? error_os(err, "quota of %s", name)
							     : 0;
}

int quota_set(const struct store *store, int container_fd, long long bytes, json_t *facts,
	      struct error *err)
{
	static const char *const writable[] = { "upper", "work", "rootfs" };

	if (!is_enforced(container_fd)) {
		error_set(err, ERROR_UNSUPPORTED, "the file system of %s has no project quotas",
			  store->root);
		return error_hint(err, "mount it with prjquota, or leave --size away");
	}
	/* until the limit is set nobody else may find the project free */
	cleanup_fd int lock =
		lock_take(store->locks_fd, "tmp", "projects", LOCK_EXCLUSIVE, true, err);
	if (lock < 0)
		return -1;
	uint32_t project = choose_project(container_fd);
	if (project == 0)
		return error_set(err, ERROR_LIMIT, "no project id is free for a quota");
	if (set_limit(container_fd, project, bytes) < 0)
		return error_os(err, "cannot set the quota");
	json_object_set_new(facts, "project", json_integer(project));
	json_object_set_new(facts, "sizeLimit", json_integer(bytes));
	for (size_t i = 0; i < sizeof writable / sizeof *writable; i++)
		if (faccessat(container_fd, writable[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		    assign(container_fd, writable[i], project, err) < 0) {
			set_limit(container_fd, project, 0);
			return -1;
		}
	return 0;
}

void quota_release(const struct store *store, const json_t *container)
{
	json_int_t project = json_integer_value(json_object_get(container, "project"));

	if (project > 0)
		set_limit(store->containers_fd, (uint32_t)project, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/confine.h"

#include "lib/cleanup.h"
#include "lib/landlock.h"
#include "lib/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A layer of 2,000,000 directories takes 200 MiB, a zstd window up to 128 MiB. */
#define MEMORY_MAX ((rlim_t)512 << 20)

/* `tree` is a detached mount of the target directory. */
static int mount_as_root(int tree, bool read_only, struct error *err)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_os(err, "cannot make mounts private");
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_os(err, "cannot mount the target directory");
	/* a copy of a shared mount is shared, which pivot_root refuses; systemd shares them all */
	if (fchdir(tree) < 0 || mount(NULL, ".", NULL, MS_PRIVATE, NULL) < 0)
		return error_os(err, "cannot enter the target directory");
	if (read_only)
		flags |= MS_RDONLY;
	/* in a user namespace the host's choice about access times stands */
	if (mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME | flags, NULL) < 0 &&
	    mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
		return error_os(err, "cannot restrict the target directory");
	/* the old root lands on top of the new one, where it can be detached without a directory
	 * of its own */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_os(err, "cannot make the target directory the root");
	return 0;
}

static int limit_memory(struct error *err)
{
#ifndef __SANITIZE_ADDRESS__ /* whose shadow is larger than that from the start */
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	if (setrlimit(RLIMIT_DATA, &memory) < 0)
		return error_os(err, "cannot set resource limits");
#endif
	(void)err;
	return 0;
}

static int limit_resources(long long file_size_max, struct error *err)
{
	struct rlimit none = { 0, 0 };
	struct rlimit size = { (rlim_t)file_size_max, (rlim_t)file_size_max };

	/* beyond RLIMIT_FSIZE writing shall fail with EFBIG rather than kill */
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_FSIZE, &size) < 0)
		return error_os(err, "cannot set resource limits");
	return limit_memory(err);
}

int confine_enter(int dir_fd, long long file_size_max, struct error *err)
{
	struct statvfs fs;
	/* before unshare(): what is in the old namespace could not be mounted in the new one */
	cleanup_fd int tree = (int)syscall(SYS_open_tree, dir_fd, "",
					   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0) {
		if (errno != EPERM)
			return error_os(err, "cannot make namespaces");
		error_set(err, ERROR_DENIED, "cannot make namespaces to unpack in");
		return error_hint(err, "needs root with CAP_SYS_ADMIN, or ctr-store unshare");
	}
	if (fstatvfs(dir_fd, &fs) < 0)
		return error_os(err, "target directory");
	if (mount_as_root(tree, fs.f_flag & ST_RDONLY, err) < 0)
		return -1;
	return limit_resources(file_size_max, err);
}

static const uint64_t kept[] = {
	[CONFINE_MAKE_FILES] = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER |
			       1ULL << CAP_FSETID | 1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP,
	[CONFINE_MARK] = 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_SYS_ADMIN,
	[CONFINE_READ] = 1ULL << CAP_DAC_READ_SEARCH,
};

static int drop_capabilities(uint64_t keep, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	/* EINVAL: this kernel has no such capability, nor any above it */
	for (unsigned long c = 0; c < 64; c++)
		if (!(keep >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return error_os(err, "cannot drop capabilities");
		}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_os(err, "cannot drop ambient capabilities");
	for (int i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted = (uint32_t)(keep >> 32 * i);
	if (syscall(SYS_capset, &header, sets) < 0)
		return error_os(err, "cannot drop capabilities");
	return 0;
}

/* Signals, and what reads or writes others' memory: Landlock keeps those of the same user apart
 * since Linux 6.12 only. */
static const unsigned refused_calls[] = {
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_pidfd_open,
	SYS_pidfd_send_signal,
	SYS_pidfd_getfd,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_io_uring_setup,
};

int confine_drop(enum confine_work work, struct error *err)
{
	if (drop_capabilities(kept[work], err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_os(err, "cannot set no_new_privs");
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_os(err, "target directory");
	if (landlock_deny_changes(root_fd, err) < 0)
		return -1;
	return seccomp_refuse(refused_calls, sizeof refused_calls / sizeof *refused_calls, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/stream/confine.h"

#include "lib/landlock.h"
#include "lib/seccomp.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_MAX ((rlim_t)64 << 20)

enum { NOBODY = 65534 };

static int limit_resources(struct error *err)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	/* poll() takes no more than that many, be they open or not */
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_os(err, "cannot read resource limits");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0)
		return error_os(err, "cannot set resource limits");
#ifndef __SANITIZE_ADDRESS__ /* whose shadow is larger than that from the start */
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	if (setrlimit(RLIMIT_DATA, &memory) < 0)
		return error_os(err, "cannot set resource limits");
#endif
	return 0;
}

static int become_nobody(struct error *err)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		/* a user namespace without that id, or without groups */
		if (errno == EINVAL || errno == EPERM)
			return 0;
		return error_os(err, "cannot change to an unprivileged user");
	}
	return 0;
}

static const unsigned allowed_calls[] = {
	SYS_read,	  SYS_write,
	SYS_readv,	  SYS_writev,
	SYS_recvfrom,	  SYS_sendto,
	SYS_recvmsg,	  SYS_sendmsg,
	SYS_ppoll,	  SYS_close,
	SYS_shutdown,	  SYS_getsockopt,
	SYS_brk,	  SYS_mmap,
	SYS_munmap,	  SYS_mremap,
	SYS_madvise,	  SYS_clock_gettime,
	SYS_gettimeofday, SYS_getrandom,
	SYS_getpid,	  SYS_sched_yield,
	SYS_futex,	  SYS_rt_sigreturn,
	SYS_exit,	  SYS_restart_syscall,
	SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
};

int confine(struct error *err)
{
	if (limit_resources(err) < 0 || become_nobody(err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_os(err, "cannot set no_new_privs");
	if (landlock_deny_files(err) < 0)
		return -1;
	return seccomp_allow_only(allowed_calls, sizeof allowed_calls / sizeof *allowed_calls, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in seccomp profile, as data. What is listed is allowed; a call that needs a capability
 * is allowed with it and fails with EPERM without; a call that is listed nowhere fails with
 * ENOSYS, which makes a newer libc fall back to an older call.
 *
 * Left out on purpose, beside what only root of the host needs: io_uring (its requests pass by the
 * filter), keyrings (not namespaced), userfaultfd, vmsplice and the calls that make namespaces
 * (without CAP_SYS_ADMIN) and AF_ALG because kernel exploits start there, AF_VSOCK (reaches past
 * network namespaces). A filter cannot see the families of socketcall, by which 32-bit programs
 * make sockets: AF_ALG is refused there by the AppArmor profile.
 */
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "oci-gen/seccomp.h"
#include "oci-gen/seccomp_names.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/socket.h>

const char *const seccomp_architectures[] = {
#if defined __x86_64__
	"SCMP_ARCH_X86_64",
	"SCMP_ARCH_X86",
	"SCMP_ARCH_X32",
#elif defined __aarch64__
	"SCMP_ARCH_AARCH64",
	"SCMP_ARCH_ARM",
#elif defined __riscv
	"SCMP_ARCH_RISCV64",
#elif defined __powerpc64__
	"SCMP_ARCH_PPC64LE",
#elif defined __s390x__
	"SCMP_ARCH_S390X",
	"SCMP_ARCH_S390",
#endif
	NULL,
};

/* Names with a space between. They are those of all architectures together: runtimes pass over
 * names that theirs does not have. */
static const char allowed[] =
	"_llseek _newselect accept accept4 access adjtimex alarm arch_prctl arm_fadvise64_64 "
	"arm_sync_file_range bind breakpoint brk cacheflush cachestat capget capset chdir "
	"chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
	"clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close "
	"close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 "
	"epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd "
	"eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 "
	"fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat "
	"fcntl fcntl64 fdatasync fgetxattr file_getattr file_setattr flistxattr flock fork "
	"fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate "
	"ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake "
	"futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents "
	"getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
	"getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid "
	"getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt "
	"gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch "
	"inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents "
	"io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set "
	"ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
	"lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr "
	"lremovexattr lseek lsetxattr lsm_get_self_attr lsm_list_modules lsm_set_self_attr "
	"lstat lstat64 madvise map_shadow_stack mbind membarrier memfd_create memfd_secret "
	"mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt "
	"mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
	"mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd "
	"msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat "
	"openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free "
	"pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 "
	"process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace "
	"pwrite64 pwritev pwritev2 read readahead readdir readlink readlinkat readv recv "
	"recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat "
	"rename renameat renameat2 restart_syscall riscv_flush_icache riscv_hwprobe rmdir "
	"rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
	"rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
	"s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr "
	"s390_sthyi sched_get_priority_max sched_get_priority_min sched_getaffinity "
	"sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
	"semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy "
	"set_mempolicy_home_node set_robust_list set_thread_area set_tid_address set_tls "
	"setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 "
	"setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
	"setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr "
	"setxattrat shmat shmctl shmdt shmget shutdown sigaction sigaltstack signal signalfd "
	"signalfd4 sigpending sigprocmask sigreturn sigsuspend socketcall socketpair splice "
	"stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range "
	"sync_file_range2 syncfs sysinfo tee tgkill time timer_create timer_delete "
	"timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
	"timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 "
	"times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe "
	"utime utimensat utimensat_time64 utimes vfork wait4 waitid waitpid write writev";

/* Calls that one of the capabilities' holders may make. */
static const struct {
	int capability;
	const char *names;
} with_capability[] = {
	{ CAP_DAC_READ_SEARCH, "open_by_handle_at" },
	{ CAP_SYS_ADMIN,
	  "bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
	  "move_mount open_tree perf_event_open pivot_root quotactl quotactl_fd setdomainname "
	  "sethostname setns swapoff swapon umount umount2 unshare" },
	{ CAP_SYS_BOOT, "kexec_file_load kexec_load reboot" },
	{ CAP_SYS_CHROOT, "chroot" },
	{ CAP_SYS_MODULE, "delete_module finit_module init_module" },
	{ CAP_SYS_NICE, "migrate_pages move_pages" },
	{ CAP_SYS_PACCT, "acct" },
	{ CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise" },
	{ CAP_SYS_RAWIO, "ioperm iopl" },
	{ CAP_SYS_TIME, "clock_settime clock_settime64 settimeofday stime" },
	{ CAP_SYS_TTY_CONFIG, "vhangup" },
	{ CAP_SYSLOG, "syslog" },
};

/* Old or dangerous calls that no container gets: EPERM tells programs more than ENOSYS would. */
static const char refused[] =
	"_sysctl add_key bdflush create_module get_kernel_syms keyctl nfsservctl nice "
	"oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read "
	"pciconfig_write query_module request_key sgetmask ssetmask swapcontext sysfs uselib "
	"userfaultfd ustat vm86 vm86old vmsplice";

/* The bits of an int, which is what the kernel takes of an argument: those above do not count. */
#define INT_BITS 0xffffffffUL

/* What a personality must not have; and one that only asks which it is. */
static const unsigned long other_personalities = INT_BITS & ~(unsigned long)(PER_LINUX32 | UNAME26);
static const unsigned long ask_personality = 0xffffffff;

/* Families of sockets but AF_ALG and AF_VSOCK, in powers of two from a multiple of that, so that a
 * mask tells them. Of two rules that say what is not allowed, each would allow the other's; and
 * comparisons are with all 64 bits, so that AF_ALG + 2^32 would pass for a high family. */
static const struct {
	unsigned first, count;
} families[] = {
	{ 0, 32 }, { 32, 4 }, { 36, 2 }, { 39, 1 }, { 41, 1 }, { 42, 2 }, { 44, 4 }, { 48, 16 },
};
_Static_assert(AF_ALG == 38 && AF_VSOCK == 40, "the families that are left out");

static const unsigned long new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
					    CLONE_NEWNET;

/* Names with a space between are taken from the buffer. */
static json_t *rule(struct strings *lists, struct buffer *buffer, bool allow)
{
	json_t *json = json_object();
	cleanup_free char *names = buffer_take_text(buffer);

	json_object_set_new(json, "names", seccomp_names_add(lists, names));
	json_object_set_new(json, "action",
			    json_string(allow ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO"));
	if (!allow)
		json_object_set_new(json, "errnoRet", json_integer(EPERM));
	return json;
}

/* Allow a call where what the mask has of its argument is the value. */
static json_t *rule_on(const char *name, int index, unsigned long mask, unsigned long value)
{
	return json_pack("{s:[s], s:s, s:[{s:i, s:s, s:I, s:I}]}", "names", name, "action",
			 "SCMP_ACT_ALLOW", "args", "index", index, "op", "SCMP_CMP_MASKED_EQ",
			 "value", (json_int_t)mask, "valueTwo", (json_int_t)value);
}

static void add_conditional(json_t *rules, bool administrator)
{
	json_array_append_new(rules, rule_on("personality", 0, other_personalities, 0));
	json_array_append_new(rules, rule_on("personality", 0, INT_BITS, ask_personality));
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		json_array_append_new(rules,
				      rule_on("socket", 0, INT_BITS & ~(families[i].count - 1),
					      families[i].first));
	if (administrator)
		return;
		/* clone3 passes its flags in memory, where a filter cannot look: it gets ENOSYS,
		 * and libc uses clone, whose flags are the first argument (on s390x the second) */
#ifdef __s390x__
	int flags = 1;
#else
	int flags = 0;
#endif
	json_array_append_new(rules, rule_on("clone", flags, new_namespaces, 0));
}

json_t *seccomp_default(uint64_t capabilities, struct strings *lists)
{
	json_t *profile = json_pack("{s:s, s:i}", "defaultAction", "SCMP_ACT_ERRNO",
				    "defaultErrnoRet", ENOSYS);
	json_t *architectures = json_array(), *rules = json_array();
	struct buffer yes = { 0 }, no = { 0 };
	bool administrator = capabilities >> CAP_SYS_ADMIN & 1;

	for (const char *const *a = seccomp_architectures; *a; a++)
		json_array_append_new(architectures, json_string(*a));
	if (json_array_size(architectures) > 0)
		json_object_set(profile, "architectures", architectures);
	json_decref(architectures);

	buffer_add(&yes, allowed);
	buffer_add(&yes, administrator ? " clone clone3" : "");
	buffer_add(&no, refused);
	for (size_t i = 0; i < sizeof with_capability / sizeof *with_capability; i++) {
		bool has = capabilities >> with_capability[i].capability & 1;

		buffer_add(has ? &yes : &no, " ");
		buffer_add(has ? &yes : &no, with_capability[i].names);
	}
	json_array_append_new(rules, rule(lists, &yes, true));
	json_array_append_new(rules, rule(lists, &no, false));
	add_conditional(rules, administrator);
	json_object_set_new(profile, "syscalls", rules);
	return profile;
}

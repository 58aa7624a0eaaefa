/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's headers are not among musl's: what of them is needed is here. */
#include "ocid-shim/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock (linux/landlock.h) ---- */

enum {
	LANDLOCK_CREATE = 444, /* the same numbers on all architectures */
	LANDLOCK_ADD = 445,
	LANDLOCK_RESTRICT = 446,
	ASK_VERSION = 1,
	BENEATH = 1, /* a path: LANDLOCK_RULE_PATH_BENEATH */
	WRITE_FILE = 1 << 1,
	REMOVE_FILE = 1 << 5,
	MAKE_FILE = 1 << 8,
	FILES_OF_ABI1 = (1 << 13) - 1,
	TO_OTHER_DIRECTORIES = 1 << 13, /* ABI 2 */
	TRUNCATE = 1 << 14,		/* 3 */
	DEVICES = 1 << 15,		/* 5 */
	TCP = 3,			/* 4: bind and connect */
	SCOPES = 3,			/* 6: abstract sockets and signals to others */
	PATH_SIZE = 4096
};

struct ruleset {
	uint64_t files, network, scopes;
};

struct rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static void allow_beneath(int ruleset, int fd, long abi)
{
	const struct rule rule = {
		WRITE_FILE | REMOVE_FILE | MAKE_FILE | (abi >= 3 ? (uint64_t)TRUNCATE : 0), fd
	};

	syscall(LANDLOCK_ADD, ruleset, BENEATH, &rule, 0);
}

/* Where a log that rotates is renamed and made anew. */
static int open_directory_of(const char *path)
{
	char name[PATH_SIZE];
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash || slash - path >= PATH_SIZE - 1)
		return -1;
	memcpy(name, path, (size_t)(slash - path) + 1);
	name[slash - path + 1] = '\0';
	return open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* No file but those of the container's directory, and the log where it is the monitor that makes
 * new ones. */
static void apply_landlock(const struct monitor *monitor)
{
	long abi = syscall(LANDLOCK_CREATE, NULL, 0, ASK_VERSION);
	const struct ruleset rules = {
		.files = FILES_OF_ABI1 | (abi >= 2 ? (uint64_t)TO_OTHER_DIRECTORIES : 0) |
			 (abi >= 3 ? (uint64_t)TRUNCATE : 0) | (abi >= 5 ? (uint64_t)DEVICES : 0),
		.network = abi >= 4 ? TCP : 0,
		.scopes = abi >= 6 ? SCOPES : 0,
	};

	if (abi < 1)
		return;
	int ruleset = (int)syscall(LANDLOCK_CREATE, &rules, sizeof rules, 0);
	int logs = monitor->log.max > 0 ? open_directory_of(monitor->log.path) : -1;
	if (ruleset >= 0) {
		allow_beneath(ruleset, monitor->dir_fd, abi);
		if (logs >= 0)
			allow_beneath(ruleset, logs, abi);
		syscall(LANDLOCK_RESTRICT, ruleset, 0);
		close(ruleset);
	}
	if (logs >= 0)
		close(logs);
}

/* ---- seccomp (linux/filter.h, linux/seccomp.h, linux/audit.h) ---- */

#if defined(__x86_64__)
#define ARCHITECTURE 0xc000003eu
#elif defined(__aarch64__)
#define ARCHITECTURE 0xc00000b7u
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE 0xc00000f3u
#endif

#ifdef ARCHITECTURE

enum {
	LOAD_WORD = 0x20, /* BPF_LD | BPF_W | BPF_ABS */
	IF_EQUAL = 0x15,  /* BPF_JMP | BPF_JEQ | BPF_K */
	ANSWER = 0x06,	  /* BPF_RET | BPF_K */
	MODE_FILTER = 2
};
#define ALLOW  0x7fff0000u
#define REFUSE (0x00050000u | EPERM)

struct instruction {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t value;
};

struct program {
	unsigned short length;
	const struct instruction *instructions;
};

/* The kernel's struct seccomp_data begins so. */
struct call {
	int number;
	uint32_t architecture;
};

static const unsigned allowed_calls[] = {
	/* the container's output and input */
	SYS_epoll_pwait,
	SYS_ppoll,
	SYS_read,
	SYS_readv,
	SYS_write,
	SYS_writev,
	SYS_ioctl,
	/* the control socket, those who are attached, the journal */
	SYS_sendto,
	SYS_sendmsg,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_shutdown,
	SYS_epoll_ctl,
	/* the log and the exit record */
	SYS_openat,
	SYS_renameat,
	SYS_renameat2,
	SYS_unlinkat,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_fchmod,
	SYS_fchown,
	SYS_ftruncate,
	SYS_lseek,
	SYS_pread64,
	SYS_pwrite64,
	SYS_dup3,
	SYS_fcntl,
	SYS_close,
	/* the container's end, time, memory, its own end */
	SYS_wait4,
	SYS_waitid,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_madvise,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
#ifdef __x86_64__
	/* as musl has them there */
	SYS_epoll_wait,
	SYS_poll,
	SYS_open,
	SYS_rename,
	SYS_stat,
	SYS_lstat,
	SYS_dup2,
#endif
};

enum { CALLS = sizeof allowed_calls / sizeof *allowed_calls, FIXED = 4 };

/* Compare the architecture and the call; each allowed call jumps over the rest. */
static void apply_seccomp(void)
{
	struct instruction filter[FIXED + CALLS + 2] = {
		{ LOAD_WORD, 0, 0, offsetof(struct call, architecture) },
		{ IF_EQUAL, 1, 0, ARCHITECTURE },
		{ ANSWER, 0, 0, REFUSE },
		{ LOAD_WORD, 0, 0, offsetof(struct call, number) },
	};
	const struct program program = { FIXED + CALLS + 2, filter };

	for (unsigned i = 0; i < CALLS; i++)
		filter[FIXED + i] =
			(struct instruction){ IF_EQUAL, (uint8_t)(CALLS - i), 0, allowed_calls[i] };
	filter[FIXED + CALLS] = (struct instruction){ ANSWER, 0, 0, REFUSE };
	filter[FIXED + CALLS + 1] = (struct instruction){ ANSWER, 0, 0, ALLOW };
	prctl(PR_SET_SECCOMP, MODE_FILTER, &program);
}

#else

static void apply_seccomp(void)
{
}

#endif

/* a sanitizer's own end takes more than is left then */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

void confine(const struct monitor *monitor)
{
	if (SANITIZED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return;
	apply_landlock(monitor);
	apply_seccomp();
}

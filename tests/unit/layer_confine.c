/* SPDX-License-Identifier: Apache-2.0 */
/* What a process can still reach once it is confined: each attempt in a child of its own. */
#include "ctr-store/worker/confine.h"

#include "tests/unit/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *outside; /* absolute path of a file beside the directory */
static int outside_fd;	    /* of the directory that holds both */
static unsigned short port; /* a listening TCP socket */
static const char *abstract_name = "ocid-test-confine";

static int opens(const char *path, int flags)
{
	return open(path, flags, 0600);
}

static int try_outside(void)
{
	return opens(outside, O_RDONLY);
}

static int try_passwd(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static int try_parent(void)
{
	return opens("../../../../../../../etc/passwd", O_RDONLY);
}

static int try_proc(void)
{
	return mkdir("/p", 0700) < 0 ? 0 : mount("proc", "/p", "proc", 0, NULL);
}

static int try_tmpfs(void)
{
	return mkdir("/t", 0700) < 0 ? 0 : mount("tmpfs", "/t", "tmpfs", 0, NULL);
}

static int try_remount(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

/* A descriptor that was left open outside: Landlock lets nothing be changed there. */
static int try_write_by_descriptor(void)
{
	bool worked = openat(outside_fd, "written", O_WRONLY | O_CREAT, 0600) >= 0 ||
		      openat(outside_fd, "outside", O_WRONLY) >= 0 ||
		      mkdirat(outside_fd, "made", 0700) == 0 ||
		      symlinkat("x", outside_fd, "made") == 0 ||
		      mknodat(outside_fd, "made", S_IFIFO | 0600, 0) == 0 ||
		      mknodat(outside_fd, "made", S_IFSOCK | 0600, 0) == 0 ||
		      mknodat(outside_fd, "made", S_IFCHR | 0600, makedev(1, 3)) == 0 ||
		      mknodat(outside_fd, "made", S_IFBLK | 0600, makedev(8, 1)) == 0 ||
		      unlinkat(outside_fd, "outside", 0) == 0 ||
		      unlinkat(outside_fd, "empty", AT_REMOVEDIR) == 0 ||
		      linkat(outside_fd, "outside", outside_fd, "empty/made", 0) == 0 ||
		      renameat(outside_fd, "outside", outside_fd, "empty/made") == 0;

	return worked ? 0 : -1;
}

static int try_truncate_by_descriptor(void)
{
	return fchdir(outside_fd) < 0 ? -1 : truncate("outside", 0);
}

static int try_chroot(void)
{
	return mkdir("/c", 0700) < 0 ? 0 : chroot("/c");
}

static int try_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static int try_listen(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static int try_abstract(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path + 1, abstract_name, strlen(abstract_name));
	return connect(fd, (struct sockaddr *)&address,
		       (socklen_t)(sizeof(sa_family_t) + 1 + strlen(abstract_name)));
}

#if !defined(__SANITIZE_ADDRESS__) && (defined(__x86_64__) || defined(__aarch64__))
#define HAS_SECCOMP
#define SIGNAL_ABI 0
#else
#define SIGNAL_ABI 6
#endif

static int try_kill(void)
{
	return kill(getppid(), 0);
}

#ifdef HAS_SECCOMP
static int try_kill_itself(void)
{
	return kill(getpid(), 0);
}

/* Each fails in another way, or works, where it is not refused by its number. */
static int try_refused_calls(void)
{
	static const long calls[] = { SYS_tkill,
				      SYS_tgkill,
				      SYS_rt_sigqueueinfo,
				      SYS_rt_tgsigqueueinfo,
				      SYS_pidfd_open,
				      SYS_pidfd_send_signal,
				      SYS_pidfd_getfd,
				      SYS_ptrace,
				      SYS_process_vm_readv,
				      SYS_process_vm_writev,
				      SYS_io_uring_setup };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (syscall(calls[i], 0, 0, 0, 0, 0, 0) == 0 || errno != EPERM)
			return 0;
	return -1;
}
#endif

#if defined(HAS_SECCOMP) && defined(__x86_64__)
/* kill() by the numbers of x32. */
static int try_x32(void)
{
	return syscall(0x40000000 | SYS_kill, getpid(), 0) == 0 || errno != EPERM ? 0 : -1;
}

static void no_such_calls(int signal)
{
	(void)signal;
	_exit(0);
}

/* And by those of i386, where the kernel has them. */
static int try_i386(void)
{
	int result;

	signal(SIGSEGV, no_such_calls);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(37), "b"(getpid()), "c"(0) : "memory");
	return result;
}
#endif

static int try_ptrace(void)
{
	return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static int try_device(void)
{
	if (mknod("/null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return 0; /* making one is allowed */
	return opens("/null", O_WRONLY);
}

static int try_execute(void)
{
	char *argv[] = { (char *)"/program", NULL };
	int fd = opens("/program", O_WRONLY | O_CREAT);

	if (fd < 0 || write(fd, "#!/program\n", 11) != 11 || fchmod(fd, 0700) < 0)
		return 0;
	close(fd);
	return execv(argv[0], argv);
}

static int try_set_user(void)
{
	return setuid(1);
}

static int try_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 ? mount("tmpfs", "/", "tmpfs", 0, NULL) : -1;
}

static int try_trusted(void)
{
	return setxattr("/", "trusted.overlay.opaque", "y", 1, 0);
}

static int try_large_file(void)
{
	int fd = opens("/large", O_WRONLY | O_CREAT);

	return fd < 0 ? 0 : ftruncate(fd, 1000001);
}

#ifndef __SANITIZE_ADDRESS__ /* which does not work with a limit */
static int try_much_memory(void)
{
	static void *volatile memory;

	memory = malloc((size_t)600 << 20);
	return memory ? 0 : -1;
}
#endif

/* What unpacking needs must go on working. */
static int try_unpacking(void)
{
	int fd = opens("/file", O_RDWR | O_CREAT | O_EXCL);

	return fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 1000000) == 0 &&
			       fchown(fd, 12, 34) == 0 && fchmod(fd, 04755) == 0 &&
			       fsetxattr(fd, "user.x", "y", 1, 0) == 0 &&
			       mkdir("/dir", 0000) == 0 && link("/file", "/dir/file") == 0 &&
			       rename("/dir/file", "/other") == 0 && unlink("/other") == 0 &&
			       rmdir("/dir") == 0 && mkfifo("/fifo", 0600) == 0 &&
			       mknod("/whiteout", S_IFCHR, makedev(0, 0)) == 0 &&
			       mknod("/disk", S_IFBLK, makedev(8, 1)) == 0
		       ? 0
		       : -1;
}

static int (*volatile attempt)(void);

/* Confine a child, and there make the attempt. 0: it was refused; 1: it worked; 2: could not
 * even be confined. */
static int confined(const char *dir, bool may_mark)
{
	struct error err;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int dir_fd = open(dir, O_RDONLY | O_DIRECTORY);

		if (confine_enter(dir_fd, 1000000, &err) < 0 || confine_drop(may_mark, &err) < 0) {
			printf("# %s\n", err.message);
			fflush(stdout);
			_exit(2);
		}
		close(dir_fd);
		_exit(attempt() >= 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

static const struct {
	const char *what;
	int (*attempt)(void);
	long abi; /* of Landlock that it takes, or 0 */
} refused[] = {
	{ "open a file beside the directory", try_outside, 0 },
	{ "open /etc/passwd", try_passwd, 0 },
	{ "walk up out of the root", try_parent, 0 },
	{ "mount proc", try_proc, 0 },
	{ "mount a tmpfs", try_tmpfs, 0 },
	{ "remount without nodev", try_remount, 0 },
	{ "write through a descriptor that was left open", try_write_by_descriptor, 2 },
	{ "truncate a file beneath it", try_truncate_by_descriptor, 3 },
	{ "chroot", try_chroot, 0 },
	{ "connect to the host's loopback", try_tcp, 0 },
	{ "listen on a port", try_listen, 4 },
	{ "connect to an abstract socket", try_abstract, 0 },
	{ "signal the parent", try_kill, SIGNAL_ABI },
#ifdef HAS_SECCOMP
	{ "signal itself, which Landlock allows", try_kill_itself, 0 },
	{ "make a call that has to do with other processes", try_refused_calls, 0 },
#endif
#if defined(HAS_SECCOMP) && defined(__x86_64__)
	{ "signal itself by a call of x32", try_x32, 0 },
	{ "signal itself by a call of i386", try_i386, 0 },
#endif
	{ "trace the parent", try_ptrace, 0 },
	{ "open a device it made", try_device, 0 },
	{ "execute a file it made", try_execute, 0 },
	{ "become another user", try_set_user, 0 },
	{ "mount in a user namespace", try_user_namespace, 0 },
	{ "grow a file beyond the limit", try_large_file, 0 },
#ifndef __SANITIZE_ADDRESS__
	{ "take more memory than the limit", try_much_memory, 0 },
#endif
};

static void listen_on_host(void)
{
	struct sockaddr_in tcp = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX };
	socklen_t length = sizeof tcp;
	int tcp_fd = socket(AF_INET, SOCK_STREAM, 0), unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(abstract.sun_path + 1, abstract_name, strlen(abstract_name));
	if (bind(tcp_fd, (struct sockaddr *)&tcp, sizeof tcp) < 0 || listen(tcp_fd, 1) < 0 ||
	    getsockname(tcp_fd, (struct sockaddr *)&tcp, &length) < 0 ||
	    bind(unix_fd, (struct sockaddr *)&abstract,
		 (socklen_t)(sizeof(sa_family_t) + 1 + strlen(abstract_name))) < 0 ||
	    listen(unix_fd, 1) < 0)
		exit(1);
	port = ntohs(tcp.sin_port);
}

/* Each attempt gets a new directory; they are removed by the caller's rm. */
static const char *new_dir(const char *base, char path[static 128])
{
	static int count;

	snprintf(path, 128, "%s/%d", base, count++);
	if (mkdir(path, 0700) < 0)
		exit(1);
	return path;
}

static void remove_base(const char *base)
{
	char *const argv[] = { (char *)"rm", (char *)"-rf", (char *)base, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

int main(void)
{
	char base[] = "/tmp/confine.XXXXXX", path[128], file[64];
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (geteuid() != 0) {
		puts("1..0 # skip needs root");
		return 0;
	}
	if (!mkdtemp(base))
		return 1;
	snprintf(file, sizeof file, "%s/outside", base);
	close(open(file, O_WRONLY | O_CREAT, 0644));
	snprintf(path, sizeof path, "%s/empty", base);
	mkdir(path, 0700);
	outside = file;
	outside_fd = open(base, O_RDONLY | O_DIRECTORY);
	listen_on_host();

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (abi < refused[i].abi) {
			ok(true, "cannot %s # skip this kernel's Landlock is too old",
			   refused[i].what);
			continue;
		}
		attempt = refused[i].attempt;
		ok(confined(new_dir(base, path), false) == 0, "cannot %s", refused[i].what);
	}
	attempt = try_unpacking;
	ok(confined(new_dir(base, path), false) == 1, "can do what unpacking needs");
	attempt = try_trusted;
	ok(confined(new_dir(base, path), false) == 0, "cannot set trusted attributes");
	ok(confined(new_dir(base, path), true) == 1, "can set them where that is its work");
	attempt = try_proc;
	ok(confined(new_dir(base, path), true) == 0 || abi < 2, "and cannot mount even then");
	remove_base(base);
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lock.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HELD_S = 20 };

/* A process that holds the lock of the open file, and lets go of it at last. */
static pid_t hold(int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep(HELD_S);
		_exit(0);
	}
	close(fd);
	return pid;
}

static bool is_named(int dir_fd, int fd)
{
	struct stat by_name, by_fd;

	return fstatat(dir_fd, "kind-id", &by_name, 0) == 0 && fstat(fd, &by_fd) == 0 &&
	       by_name.st_ino == by_fd.st_ino;
}

/* A process that waits for the lock; it ends with 0 when that is the one that has the name. */
static pid_t wait_for(int dir_fd)
{
	pid_t pid = fork();
	struct error err;

	if (pid == 0) {
		int fd = lock_take(dir_fd, "kind", "id", LOCK_EXCLUSIVE, true, &err);

		_exit(fd < 0 || !is_named(dir_fd, fd));
	}
	return pid;
}

/* True once the process sleeps, as one does that waits. */
static bool waits(pid_t pid)
{
	char path[32], text[256] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	for (int tries = 0; tries < 5000; tries++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, text, sizeof text - 1);

		close(fd);
		if (got > 0 && strstr(text, ") S "))
			return true;
		usleep(1000);
	}
	return false;
}

/* Whether one who waited has the lock that counts, when its holder took the file away and, with
 * `again`, somebody has made it anew. */
static bool survives(int dir_fd, bool again)
{
	struct error err;
	int status = -1, held = lock_take(dir_fd, "kind", "id", LOCK_EXCLUSIVE, false, &err);
	pid_t pid = held < 0 ? -1 : wait_for(dir_fd);
	bool slept = pid > 0 && waits(pid);

	lock_discard(dir_fd, "kind", "id");
	if (again)
		close(openat(dir_fd, "kind-id", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	lock_release(&held);
	return slept && waitpid(pid, &status, 0) == pid && status == 0;
}

static void test_names(void)
{
	char top[] = "/tmp/ocid-locks-XXXXXX";
	struct error err = { 0 };
	struct stat st;

	if (!mkdtemp(top))
		return;
	cleanup_fd int dir_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok(survives(dir_fd, false), "the lock of a file that its holder took away is none");
	ok(survives(dir_fd, true), "nor where there is another of that name");
	ok(fstatat(dir_fd, "kind-id", &st, 0) == 0 && (st.st_mode & 07777) == 0600,
	   "nobody else can hold one");
	unlinkat(dir_fd, "kind-id", 0);
	ok(symlinkat("elsewhere", dir_fd, "kind-id") == 0 &&
		   lock_take(dir_fd, "kind", "id", LOCK_SHARED, false, &err) < 0 &&
		   err.os == ELOOP && faccessat(dir_fd, "elsewhere", F_OK, 0) < 0,
	   "a link is not followed");
	unlinkat(dir_fd, "kind-id", 0);
	rmdir(top);
}

int main(void)
{
	char path[] = "/tmp/ocid-lock-XXXXXX";
	int held = mkstemp(path), fd = open(path, O_RDWR | O_CLOEXEC);
	const time_t begin = time(NULL);
	struct error err = { 0 };

	ok(lock_file(held, LOCK_EXCLUSIVE, true, "it", &err) == 0, "a free lock is had at once");
	ok(lock_file(fd, LOCK_SHARED, false, "it", &err) < 0 && err.kind == ERROR_IN_USE,
	   "one that is held is in use");
	ok(lock_byte(fd, 1, LOCK_SHARED, false, "it", &err) < 0 && err.kind == ERROR_IN_USE,
	   "so is each byte of it");

	lock_release(&held);
	held = open(path, O_RDWR | O_CLOEXEC);
	ok(lock_byte(held, 1, LOCK_EXCLUSIVE, false, "it", &err) == 0 &&
		   lock_byte(fd, 2, LOCK_EXCLUSIVE, false, "it", &err) == 0 &&
		   lock_byte(fd, 0, LOCK_EXCLUSIVE, false, "it", &err) == 0 &&
		   lock_byte(fd, 1, LOCK_SHARED, false, "it", &err) < 0,
	   "one byte is locked without the others");
	close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ok(lock_file(held, LOCK_SHARED, false, "it", &err) == 0 &&
		   lock_file(fd, LOCK_SHARED, false, "it", &err) == 0 &&
		   lock_file(held, LOCK_EXCLUSIVE, false, "it", &err) < 0,
	   "several share one, and nobody has it alone then");
	close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ok(lock_file(held, LOCK_EXCLUSIVE, false, "it", &err) == 0, "who is left alone may");

	pid_t pid = hold(held);
	cli_limit_time(1);
	while (!cli_interrupted())
		usleep(1000);
	ok(lock_file(fd, LOCK_EXCLUSIVE, true, "it", &err) < 0 && err.kind == ERROR_TEMPORARY,
	   "after a signal it is not waited for");
	ok(time(NULL) - begin < HELD_S / 2, "nor did that take as long");
	cli_interrupt_take();

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(lock_file(fd, LOCK_EXCLUSIVE, true, "it", &err) == 0, "a dead process holds none");
	unlink(path);
	test_names();
	return tap_done();
}

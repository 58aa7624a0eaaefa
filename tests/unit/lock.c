/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lock.h"

#include "lib/cli.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
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
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/children.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CHILDREN_MAX = 1 << 20,
	PAUSE_MS = 1,
	END_MS = 1000 /* for one that was killed to be gone */
};

int child_await(pid_t pid, long long deadline, struct error *err)
{
	cleanup_fd int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = pid_fd, .events = POLLIN };

	if (pid_fd < 0)
		return error_os(err, "process %d", (int)pid);
	while (!cli_interrupted()) {
		long long left = deadline ? deadline - clock_ms() : -1;

		if (deadline && left <= 0)
			return 1;
		if (cli_poll(&ended, 1, (int)left) > 0)
			return 0;
	}
	return 1;
}

int child_reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_is(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void kill_children(void)
{
	struct error ignored;
	size_t length;
	cleanup_free char *list = file_read_at(AT_FDCWD, "/proc/thread-self/children", CHILDREN_MAX,
					       &length, &ignored);
	char *rest = list;

	for (const char *word; rest && (word = strsep(&rest, " "));) {
		pid_t pid = (pid_t)strtol(word, NULL, 10);

		if (pid > 1) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
	}
}

void children_end(void)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	long long deadline = clock_ms() + END_MS;
	pid_t ended;

	/* those whose parent we killed become ours in turn, until there are none */
	while ((ended = waitpid(-1, NULL, WNOHANG)) >= 0 && clock_ms() < deadline) {
		if (ended > 0)
			continue;
		kill_children();
		nanosleep(&pause, NULL);
	}
}

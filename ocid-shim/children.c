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
#include <unistd.h>

enum { CHILDREN_MAX = 1 << 20 };

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

void children_end(void)
{
	do {
		struct error ignored;
		size_t length;
		cleanup_free char *list = file_read_at(AT_FDCWD, "/proc/thread-self/children",
						       CHILDREN_MAX, &length, &ignored);
		char *rest = list;

		for (const char *word; rest && (word = strsep(&rest, " "));) {
			pid_t pid = (pid_t)strtol(word, NULL, 10);

			if (pid > 1) {
				kill(-pid, SIGKILL);
				kill(pid, SIGKILL);
			}
		}
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

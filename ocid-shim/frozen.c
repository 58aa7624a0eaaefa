/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/frozen.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/spawn.h"
#include "ocid-shim/container.h"
#include "ocid-shim/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* resume, as soon as the pipe that is its standard input has no writer any more. */
static pid_t start_guard(const struct cli *cli, const char *id, int input_fd, struct error *err)
{
	const char *const argv[] = { "/proc/self/exe", "resume",  "--after-input",
				     "--root",	       cli->root, "--runroot",
				     cli->runroot,     id,	  NULL };
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return error_os(err, "/dev/null");
	const struct spawn spawn = { .argv = argv,
				     .stdin_fd = input_fd,
				     .stdout_fd = null,
				     .stderr_fd = null,
				     .new_session = true };
	return spawn_start(&spawn, err);
}

int frozen_start(const struct cli *cli, const struct store *store,
		 const struct container *container, int lock, struct frozen *frozen,
		 struct error *err)
{
	const char *const words[] = { "pause", container->id, NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	cleanup_fd int theirs = ends[0];
	frozen->pipe_fd = ends[1];
	frozen->id = container->id;
	pid_t guard = start_guard(cli, container->id, theirs, err);
	if (guard < 0)
		return -1;
	frozen->guard = guard;
	return runtime_run(store, container->facts, lock, words, NULL, err);
}

int frozen_end(struct frozen *frozen, struct error *err)
{
	int status = 0;

	cleanup_fd_p(&frozen->pipe_fd);
	if (frozen->guard == 0)
		return 0;
	while (waitpid(frozen->guard, &status, 0) < 0 && errno == EINTR)
		;
	frozen->guard = 0;
	/* one that has ended, or was resumed by somebody else, is not paused any more */
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == ERROR_IN_USE ||
				  WEXITSTATUS(status) == ERROR_NOT_FOUND))
		return 0;
	error_set(err, ERROR_FAILED, "container \"%s\" may still be paused", frozen->id);
	return error_hint(err, "see ocid-shim resume");
}

void frozen_close(struct frozen *frozen)
{
	struct error ignored;

	frozen_end(frozen, &ignored);
}

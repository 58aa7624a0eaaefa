/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/opaque.h"

#include "ctr-store/worker/confine.h"
#include "ctr-store/worker/names.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int mark(int root_fd, const char *path, bool user_attributes, struct error *err)
{
	cleanup_fd int fd = path_open_beneath(root_fd, path[0] ? path : ".",
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW, err);

	if (fd < 0)
		return -1;
	if (fsetxattr(fd, user_attributes ? "user.overlay.opaque" : "trusted.overlay.opaque", "y",
		      1, 0) < 0)
		return error_os(err, "%s: cannot mark it opaque", path);
	return 0;
}

/* Paths arrive with their NUL. Returns at the end of the pipe. */
static int serve(int pipe_fd, bool user_attributes, struct error *err)
{
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_file FILE *paths = fdopen(pipe_fd, "r");
	char path[NAME_PATH_MAX + 1];
	size_t length = 0;
	int c;

	if (root_fd < 0 || !paths)
		return error_os(err, "cannot serve marks");
	if (confine_drop(CONFINE_MARK, err) < 0)
		return -1;
	while ((c = getc(paths)) != EOF) {
		if (length >= sizeof path)
			return error_set(err, ERROR_FAILED, "path too long to mark");
		path[length++] = (char)c;
		if (c != '\0')
			continue;
		if (mark(root_fd, path, user_attributes, err) < 0)
			return -1;
		length = 0;
	}
	if (ferror(paths))
		return error_os(err, "cannot read what to mark");
	return 0;
}

/* The error goes back as the exit status and, for people, as a line on stderr. */
static void serve_and_exit(int pipe_fd, bool user_attributes) __attribute__((noreturn));

static void serve_and_exit(int pipe_fd, bool user_attributes)
{
	struct error err;

	/* the process that reads the layer must not go on alone, nor this one */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (serve(pipe_fd, user_attributes, &err) == 0)
		_exit(0);
	error_print(&err, "ctr-store-unpack", "opaque", false);
	_exit((int)err.kind);
}

int marker_start(struct marker *marker, bool user_attributes, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		serve_and_exit(ends[0], user_attributes);
	}
	close(ends[0]);
	if (pid < 0) {
		error_os(err, "cannot start a process");
		close(ends[1]);
		return -1;
	}
	*marker = (struct marker){ .pid = pid, .fd = ends[1] };
	return 0;
}

int marker_mark(struct marker *marker, const char *path, struct error *err)
{
	/* SIGPIPE is ignored (layer.c): that process has failed, and says why when it is waited for
	 */
	if (file_write_fd(marker->fd, path, strlen(path) + 1, "opaque directories", err) < 0)
		return err->os == EPIPE ? marker_finish(marker, err) : -1;
	return 0;
}

int marker_finish(struct marker *marker, struct error *err)
{
	int status;

	close(marker->fd);
	marker->fd = -1;
	while (waitpid(marker->pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_os(err, "cannot wait for a process");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err,
				 WIFEXITED(status) ? (enum error_kind)WEXITSTATUS(status)
						   : ERROR_FAILED,
				 "cannot mark directories opaque");
	return 0;
}

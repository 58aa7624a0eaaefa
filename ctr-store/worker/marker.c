/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/worker/marker.h"

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

/* An origin of no bytes is one that is not known: all it says is that whiteouts may be there. */
static const struct {
	const char *trusted, *user, *value;
} attributes[] = {
	[MARK_OPAQUE] = { "trusted.overlay.opaque", "user.overlay.opaque", "y" },
	[MARK_WHITEOUTS] = { "trusted.overlay.origin", "user.overlay.origin", "" },
};

/* A message is a byte for the mark, and a path; its sender is not believed. */
static int mark(int root_fd, const char *message, bool user_attributes, struct error *err)
{
	unsigned char which = (unsigned char)message[0];

	if (which != MARK_OPAQUE && which != MARK_WHITEOUTS)
		return error_set(err, ERROR_FAILED, "there is no mark %d", which);

	const char *path = message + 1;
	const char *value = attributes[which].value;
	cleanup_fd int fd =
		path_open_beneath(root_fd, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return -1;
	if (fsetxattr(fd, user_attributes ? attributes[which].user : attributes[which].trusted,
		      value, strlen(value), 0) < 0)
		return error_os(err, "%s: cannot mark it for overlayfs", path);
	return 0;
}

/* Messages arrive with their NUL. Returns at the end of the pipe. */
static int serve(int pipe_fd, bool user_attributes, struct error *err)
{
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_file FILE *messages = fdopen(pipe_fd, "r");
	char message[1 + NAME_PATH_MAX + 1];
	size_t length = 0;
	int c;

	if (root_fd < 0 || !messages)
		return error_os(err, "cannot serve marks");
	if (confine_drop(CONFINE_MARK, err) < 0)
		return -1;
	while ((c = getc(messages)) != EOF) {
		if (length >= sizeof message)
			return error_set(err, ERROR_FAILED, "path too long to mark");
		message[length++] = (char)c;
		if (c != '\0')
			continue;
		if (mark(root_fd, message, user_attributes, err) < 0)
			return -1;
		length = 0;
	}
	if (ferror(messages))
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
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (serve(pipe_fd, user_attributes, &err) == 0)
		_exit(0);
	error_print(&err, "ctr-store-unpack", "mark", false);
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

int marker_mark(struct marker *marker, enum media_mark mark, const char *path, struct error *err)
{
	char message[1 + NAME_PATH_MAX + 1];
	size_t size = strlen(path) + 1;

	message[0] = (char)mark;
	memcpy(message + 1, path, size);
	/* SIGPIPE is ignored (layer.c): that process has failed, and says why when it is waited for
	 */
	if (file_write_fd(marker->fd, message, 1 + size, "marks", err) < 0)
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
				 "cannot mark directories for overlayfs");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare: a command as root of a user namespace. The process itself enters the namespaces and
 * becomes the command; a child that stays outside maps the users meanwhile, since newuidmap(1) must
 * be run there:
 *
 *   1. the child is forked and waits
 *   2. we enter the new namespaces and tell the child
 *   3. the child runs newuidmap and newgidmap on us with what /etc/subuid and /etc/subgid give
 *   4. where that fails we map just ourselves
 *   5. the command is executed
 */
#include "ctr-store/commands.h"
#include "ctr-store/user_namespace.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SUBID_MAX = 16 << 20, NOT_MAPPED = 1 };

/* ---- in the child: the mapping ---- */

/* Add what a line NAME:START:COUNT gives to the user; returns the next free id inside. */
static unsigned long add_range(char *line, const char *user, struct strings *arguments,
			       unsigned long next)
{
	cleanup_free char *number = xasprintf("%u", getuid());
	char *rest = line;
	const char *name = strsep(&rest, ":"), *start = strsep(&rest, ":"), *count = rest;

	if (!count || (strcmp(name, user) != 0 && strcmp(name, number) != 0))
		return next;
	strings_addf(arguments, "%lu", next);
	strings_add(arguments, start);
	strings_add(arguments, count);
	return next + strtoul(count, NULL, 10);
}

/* Run newuidmap or newgidmap: the user is root, what the file gives follows. */
static int map_ids(const char *program, const char *file, unsigned own, const char *user, pid_t pid,
		   struct error *err)
{
	size_t length;
	unsigned long next = 1;
	cleanup_strings struct strings arguments = { 0 };
	cleanup_spawn_result struct spawn_result result = { 0 };
	cleanup_free char *text = file_read_at(AT_FDCWD, file, SUBID_MAX, &length, err);

	if (!text)
		return -1;
	strings_add(&arguments, program);
	strings_addf(&arguments, "%d", (int)pid);
	strings_add(&arguments, "0");
	strings_addf(&arguments, "%u", own);
	strings_add(&arguments, "1");
	char *line, *rest = text;
	while ((line = strsep(&rest, "\n")))
		next = add_range(line, user, &arguments, next);
	if (next == 1)
		return error_set(err, ERROR_NOT_FOUND, "%s has no ids for %s", file, user);

	const struct spawn spawn = { .argv = (const char *const *)arguments.items };
	if (spawn_run(&spawn, &result, err) < 0)
		return -1;
	if (result.status == 0)
		return 0;
	cleanup_free char *said = spawn_last_line(result.err);
	return error_set(err, ERROR_FAILED, "%s", said);
}

/* The user's name, or number where there is none, wherever the system keeps its users: a static
 * program has no way to ask for that. The caller frees it. */
static char *own_name(void)
{
	const char *const argv[] = { "id", "-un", NULL };
	const struct spawn spawn = { .argv = argv };
	cleanup_spawn_result struct spawn_result result = { 0 };
	struct error ignored;

	if (spawn_run(&spawn, &result, &ignored) < 0 || result.status != 0)
		return xasprintf("%u", getuid());
	return xstrndup(result.out, strcspn(result.out, "\n"));
}

static int map_parent(pid_t parent)
{
	cleanup_free char *user = own_name();
	struct error why;

	if (map_ids("newuidmap", "/etc/subuid", getuid(), user, parent, &why) == 0 &&
	    map_ids("newgidmap", "/etc/subgid", getgid(), user, parent, &why) == 0)
		return 0;
	log_message(LOG_LEVEL_WARN, "only one user is mapped: %s", why.message);
	return NOT_MAPPED;
}

/* Starts the child; a byte into *go_fd lets it go on. */
static pid_t start_mapper(int *go_fd, struct error *err)
{
	int ends[2];
	char byte;
	pid_t parent = getpid();

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		/* no byte: the parent has failed */
		_exit(read(ends[0], &byte, 1) == 1 ? map_parent(parent) : NOT_MAPPED);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return error_os(err, "cannot start a process");
	}
	*go_fd = ends[1];
	return pid;
}

/* ---- in the namespace ---- */

static int write_self(const char *file, const char *text, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/self/%s", file);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? error_os(err, "%s", path)
		      : file_write_fd(fd, text, strlen(text), path, err);
}

/* What needs no help: ourselves as the only user and group. */
static int map_self(unsigned uid, unsigned gid, struct error *err)
{
	cleanup_free char *uids = xasprintf("0 %u 1\n", uid);
	cleanup_free char *gids = xasprintf("0 %u 1\n", gid);

	if (write_self("setgroups", "deny", err) < 0 || write_self("uid_map", uids, err) < 0)
		return -1;
	return write_self("gid_map", gids, err);
}

static int enter(struct error *err)
{
	unsigned uid = geteuid(), gid = getegid();
	int status = NOT_MAPPED;
	cleanup_fd int go_fd = -1;
	pid_t mapper = start_mapper(&go_fd, err);

	if (mapper < 0)
		return -1;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		error_os(err, "cannot make a user namespace");
		return error_hint(err, "see user.max_user_namespaces of sysctl(8)");
	}
	if (write(go_fd, "", 1) < 0)
		return error_os(err, "pipe");
	while (waitpid(mapper, &status, 0) < 0)
		if (errno != EINTR)
			return error_os(err, "cannot wait for a process");
	if (status != 0 && map_self(uid, gid, err) < 0)
		return -1;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_os(err, "cannot become root of the user namespace");
	/* what the host mounts from now on is seen; what we mount stays here */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_os(err, "cannot separate the mounts");
	return 0;
}

/* ---- the verb ---- */

/* In the namespace we are root, whose default is another store; so is podman's, which knows by its
 * own variable who is outside. */
static int export_roots(const struct cli *cli, struct error *err)
{
	cleanup_free char *user = xasprintf("%u", geteuid());

	if (path_make_dirs(cli->root, 0711, err) < 0 || path_make_dirs(cli->runroot, 0700, err) < 0)
		return -1;
	cleanup_free char *root = realpath(cli->root, NULL);
	cleanup_free char *runroot = realpath(cli->runroot, NULL);
	if (!root || !runroot)
		return error_os(err, "%s", cli->root);
	if (setenv("OCID_ROOT", root, 1) < 0 || setenv("OCID_RUNROOT", runroot, 1) < 0 ||
	    (geteuid() != 0 && setenv("_CONTAINERS_ROOTLESS_UID", user, 1) < 0))
		return error_os(err, "environment");
	return 0;
}

static int unshare_verb(const struct cli *cli, struct error *err)
{
	const char *shell = getenv("SHELL");
	char *const default_command[] = { (char *)(shell && shell[0] ? shell : "/bin/sh"), NULL };
	char *const *command = cli->operand_count > 0 ? cli->operands : default_command;

	if (export_roots(cli, err) < 0)
		return -1;
	if (geteuid() == 0 && !user_namespace_is_own()) {
		error_set(err, ERROR_USAGE, "root needs no user namespace");
		return error_hint(err, "run the command itself");
	}
	if (geteuid() != 0 && enter(err) < 0)
		return -1;
	execvp(command[0], command);
	return error_os(err, "cannot run %s", command[0]);
}

const struct cli_command command_unshare = {
	.name = "unshare",
	.operands = "[COMMAND [ARGUMENT...]]",
	.operands_max = -1,
	.summary = "run a command in a user namespace, for rootless use",
	.details =
		"Without COMMAND, runs a shell. Inside, the user is root and has a store of their\n"
		"own; mounts made inside disappear with the last process.",
	.stop_at_operand = true,
	.run = unshare_verb,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child of ours goes into new namespaces and stays there for as long as it takes to open them
 * from here; this process stays where it is. In two steps where there is a user namespace, since
 * its mappings must be written, from outside, before anything can be owned by its root:
 *
 *   child   unshare the user namespace                 parent   write its mappings
 *   child   become its root, unshare all others        parent   open them
 *   child   end
 */
#include "ctr-net/ns_make.h"

#include "ctr-net/netlink.h"
#include "ctr-net/ns.h"
#include "ctr-net/sysctl.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tell the parent that a step is done (0) or why not (errno), and wait for its word to go on. */
static void report(int parent_fd, int result)
{
	char word;

	if (send(parent_fd, &result, sizeof result, MSG_NOSIGNAL) != sizeof result || result != 0)
		_exit(1);
	while (read(parent_fd, &word, 1) < 0 && errno == EINTR)
		;
}

static int unshared(int flags)
{
	return unshare(flags) < 0 ? errno : 0;
}

/* The mqueue file system of an IPC namespace belongs to whoever makes it. */
static int become_root(void)
{
	return setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ? errno : 0;
}

_Noreturn static void child(int parent_fd, bool user, int others)
{
	if (user) {
		report(parent_fd, unshared(CLONE_NEWUSER));

		int result = become_root();
		if (result != 0)
			report(parent_fd, result);
	}
	report(parent_fd, unshared(others));
	_exit(0);
}

/* Wait for a step of the child's. */
static int await(int child_fd, const char *what, struct error *err)
{
	int result = 0;
	ssize_t got = read(child_fd, &result, sizeof result);

	if (got != sizeof result)
		return error_set(err, ERROR_FAILED, "the process that makes %s has ended", what);
	errno = result;
	if (result == 0)
		return 0;
	error_os(err, "cannot make %s", what);
	return err->kind == ERROR_DENIED ? error_hint(err, NEEDS_ROOT) : -1;
}

static int write_map(pid_t pid, const char *file, const char *text, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", pid, file);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_os(err, "%s", path);
	if (write(fd, text, strlen(text)) >= 0)
		return 0;
	if (errno == EINVAL)
		return error_set(err, ERROR_USAGE, "the kernel refuses the mapping %s", file);
	return error_os(err, "cannot write %s", file);
}

static int open_namespace(pid_t pid, enum pin_kind kind, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/%s", pid, pin_proc_name(kind));
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "no process %d", pid);
	return error_os(err, "%s", path);
}

static int lead(const struct ns_plan *plan, pid_t pid, int child_fd, int fds[PIN_KINDS],
		struct error *err)
{
	if (plan->kinds[PIN_USER]) {
		if (await(child_fd, "a user namespace", err) < 0 ||
		    write_map(pid, "uid_map", plan->uid_map, err) < 0 ||
		    write_map(pid, "gid_map", plan->gid_map, err) < 0)
			return -1;
		if (send(child_fd, "", 1, MSG_NOSIGNAL) != 1)
			return error_os(err, "the process that makes a user namespace");
	}

	bool more = plan->kinds[PIN_IPC] || plan->kinds[PIN_UTS];
	if (await(child_fd, more ? "namespaces" : "a network namespace", err) < 0)
		return -1;
	for (int kind = 0; kind < PIN_KINDS; kind++) {
		if (!plan->kinds[kind] || kind == PIN_PID)
			continue;
		fds[kind] = open_namespace(pid, (enum pin_kind)kind, err);
		if (fds[kind] < 0)
			return -1;
	}
	return 0;
}

/* The CLONE_NEW… flags of the kinds that one unshare() makes. */
static int flags_of(const struct ns_plan *plan)
{
	int flags = 0;

	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (plan->kinds[kind] && kind != PIN_USER && kind != PIN_PID)
			flags |= pin_flag((enum pin_kind)kind);
	return flags;
}

/* Make what the plan says, but for a PID namespace. */
static int make_new(const struct ns_plan *plan, int fds[PIN_KINDS], struct error *err)
{
	int flags = flags_of(plan), pair[2];

	if (flags == 0 && !plan->kinds[PIN_USER])
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_os(err, "cannot make a socket pair");

	cleanup_fd int ours = pair[0], theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_os(err, "cannot fork");
	if (pid == 0) {
		close(ours);
		child(theirs, plan->kinds[PIN_USER], flags);
	}
	close(steal_fd(&theirs));

	int status = lead(plan, pid, ours, fds, err);
	close(steal_fd(&ours)); /* the child ends now */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* In a child of its own, which needs not come back. */
static int configure_here(const struct ns_plan *plan, const int fds[PIN_KINDS], struct error *err)
{
	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (fds[kind] >= 0 && kind != PIN_USER && kind != PIN_PID &&
		    setns(fds[kind], pin_flag((enum pin_kind)kind)) < 0)
			return error_os(err, "cannot enter the new namespaces");
	if (plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return error_os(err, "cannot set the host name %s", plan->hostname);
	if (sysctl_set(plan->sysctls, err) == 0)
		return 0;
	if (err->os != EACCES || fds[PIN_USER] < 0)
		return -1;
	/* those of IPC are set by the host's root, but since Linux 6.9 by the namespace's own */
	if (setns(fds[PIN_USER], CLONE_NEWUSER) < 0 || become_root() != 0)
		return error_os(err, "cannot enter the new user namespace");
	return sysctl_set(plan->sysctls, err);
}

static int configure(const struct ns_plan *plan, const int fds[PIN_KINDS], struct error *err)
{
	int ends[2];

	if (!plan->hostname && (!plan->sysctls || plan->sysctls->count == 0))
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_os(err, "cannot make a pipe");

	cleanup_fd int from = ends[0], to = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_os(err, "cannot fork");
	if (pid == 0) {
		struct error failure;
		bool failed = configure_here(plan, fds, &failure) < 0;

		/* an error is a value: the parent gets it as it is */
		_exit(failed && write(to, &failure, sizeof failure) == sizeof failure ? 1 : 0);
	}
	/* one that is killed leaves nothing to be read */
	close(steal_fd(&to));

	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	struct error failure;
	if (read(from, &failure, sizeof failure) != sizeof failure)
		return error_set(err, ERROR_FAILED, "the new namespaces could not be set up");
	*err = failure;
	return -1;
}

static int bring_up_loopback(int net_fd, struct error *err)
{
	cleanup_netlink struct netlink netlink = { 0 };

	if (net_fd < 0)
		return 0;
	return ns_netlink(net_fd, &netlink, err) < 0 ? -1 : netlink_set_up(&netlink, "lo", err);
}

static int pin_all(const char *runroot, const char *name, const int fds[PIN_KINDS],
		   struct error *err)
{
	struct error ignored;

	for (int kind = 0; kind < PIN_KINDS; kind++) {
		if (fds[kind] < 0 ||
		    pin_make(runroot, (enum pin_kind)kind, name, fds[kind], err) == 0)
			continue;
		for (int made = 0; made < kind; made++)
			if (fds[made] >= 0)
				pin_remove(runroot, (enum pin_kind)made, name, &ignored);
		return -1;
	}
	return 0;
}

static int make_and_pin(const struct ns_plan *plan, const char *runroot, const char *name,
			int fds[PIN_KINDS], struct error *err)
{
	if (plan->kinds[PIN_PID]) {
		fds[PIN_PID] = open_namespace(plan->pid, PIN_PID, err);
		if (fds[PIN_PID] < 0)
			return -1;
	}
	if (make_new(plan, fds, err) < 0 || bring_up_loopback(fds[PIN_NET], err) < 0 ||
	    configure(plan, fds, err) < 0)
		return -1;
	return pin_all(runroot, name, fds, err);
}

int ns_make(const struct ns_plan *plan, const char *runroot, const char *name, struct error *err)
{
	int fds[PIN_KINDS] = { -1, -1, -1, -1, -1 };

	/* before anything is made of which all would have to go again */
	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (plan->kinds[kind] &&
		    pin_check_free(runroot, (enum pin_kind)kind, name, err) < 0)
			return -1;

	int status = make_and_pin(plan, runroot, name, fds, err);
	for (int kind = 0; kind < PIN_KINDS; kind++)
		cleanup_fd_p(&fds[kind]);
	return status;
}

int ns_make_loose(struct error *err)
{
	const struct ns_plan plan = { .kinds[PIN_NET] = true };
	int fds[PIN_KINDS] = { -1, -1, -1, -1, -1 };

	return make_new(&plan, fds, err) < 0 ? -1 : fds[PIN_NET];
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/known.h"

#include <sched.h>
#include <string.h>
#include <strings.h>

const char *const known_capabilities[CAPABILITY_COUNT + 1] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
	NULL,
};

const char *const known_rlimits[] = {
	"RLIMIT_AS",
	"RLIMIT_CORE",
	"RLIMIT_CPU",
	"RLIMIT_DATA",
	"RLIMIT_FSIZE",
	"RLIMIT_LOCKS",
	"RLIMIT_MEMLOCK",
	"RLIMIT_MSGQUEUE",
	"RLIMIT_NICE",
	"RLIMIT_NOFILE",
	"RLIMIT_NPROC",
	"RLIMIT_RSS",
	"RLIMIT_RTPRIO",
	"RLIMIT_RTTIME",
	"RLIMIT_SIGPENDING",
	"RLIMIT_STACK",
	NULL,
};

const struct known_namespace known_namespaces[] = {
	{ "pid", "pid", CLONE_NEWPID },
	{ "network", "net", CLONE_NEWNET },
	{ "mount", "mnt", CLONE_NEWNS },
	{ "ipc", "ipc", CLONE_NEWIPC },
	{ "uts", "uts", CLONE_NEWUTS },
	{ "user", "user", CLONE_NEWUSER },
	{ "cgroup", "cgroup", CLONE_NEWCGROUP },
	{ "time", "time", CLONE_NEWTIME },
	{ NULL, NULL, 0 },
};

/* A name that ends with "." or "*" stands for all that begin so. */
static const struct {
	const char *sysctl, *namespace;
} namespaced_sysctls[] = {
	{ "net.", "network" },	      { "kernel.msg*", "ipc" },	       { "kernel.shm*", "ipc" },
	{ "kernel.sem", "ipc" },      { "kernel.sem_next_id", "ipc" }, { "fs.mqueue.", "ipc" },
	{ "kernel.hostname", "uts" }, { "kernel.domainname", "uts" },
};

static const char *const mount_options[] = {
	"acl",
	"async",
	"atime",
	"bind",
	"defaults",
	"dev",
	"diratime",
	"dirsync",
	"exec",
	"iversion",
	"lazytime",
	"loud",
	"mand",
	"noacl",
	"noatime",
	"nodev",
	"nodiratime",
	"noexec",
	"noiversion",
	"nolazytime",
	"nomand",
	"norelatime",
	"nostrictatime",
	"nosuid",
	"nosymfollow",
	"private",
	"rbind",
	"relatime",
	"remount",
	"ro",
	"rprivate",
	"rshared",
	"rslave",
	"runbindable",
	"rw",
	"shared",
	"silent",
	"slave",
	"strictatime",
	"suid",
	"sync",
	"unbindable",
	"rro",
	"rrw",
	"rnosuid",
	"rsuid",
	"rnodev",
	"rdev",
	"rnoexec",
	"rexec",
	"rnodiratime",
	"rdiratime",
	"rrelatime",
	"rnorelatime",
	"rnoatime",
	"ratime",
	"rstrictatime",
	"rnostrictatime",
	"rnosymfollow",
	"rsymfollow",
	"symfollow",
	"tmpcopyup",
	"idmap",
	"ridmap",
	"copy-symlink",
	"src-nofollow",
	NULL,
};

bool known_in(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

int known_capability(const char *name)
{
	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (strcasecmp(known_capabilities[i], name) == 0 ||
		    strcasecmp(known_capabilities[i] + strlen("CAP_"), name) == 0)
			return i;
	return -1;
}

const char *known_rlimit(const char *name)
{
	for (const char *const *known = known_rlimits; *known; known++)
		if (strcasecmp(*known, name) == 0 ||
		    strcasecmp(*known + strlen("RLIMIT_"), name) == 0)
			return *known;
	return NULL;
}

const char *known_namespace_type(const char *name)
{
	for (const struct known_namespace *n = known_namespaces; n->type; n++)
		if (strcmp(n->type, name) == 0 || strcmp(n->alias, name) == 0)
			return n->type;
	return NULL;
}

const char *known_sysctl_namespace(const char *sysctl)
{
	for (size_t i = 0; i < sizeof namespaced_sysctls / sizeof *namespaced_sysctls; i++) {
		const char *name = namespaced_sysctls[i].sysctl;
		size_t length = strlen(name);

		if (name[length - 1] == '*'   ? strncmp(sysctl, name, length - 1) == 0
		    : name[length - 1] == '.' ? strncmp(sysctl, name, length) == 0 && sysctl[length]
					      : strcmp(sysctl, name) == 0)
			return namespaced_sysctls[i].namespace;
	}
	return NULL;
}

bool known_action_takes_errno(const char *action)
{
	return strcmp(action, "SCMP_ACT_ERRNO") == 0 || strcmp(action, "SCMP_ACT_TRACE") == 0;
}

bool known_mount_option(const char *option, size_t length)
{
	for (const char *const *known = mount_options; *known; known++)
		if (strlen(*known) == length && memcmp(*known, option, length) == 0)
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/meanings.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "oci-gen/schema.h"

#include <string.h>

/* Members that are not here are explained by what they are in. */
static const struct {
	const char *pattern, *text;
} meanings[] = {
	{ "", "the whole configuration of a container" },
	{ "/ociVersion", "version of the runtime specification that this was written for" },
	{ "/hostname", "host name in the container's UTS namespace" },
	{ "/domainname", "NIS domain name in the container's UTS namespace" },
	{ "/annotations",
	  "free words for whoever reads this; some runtimes take orders from them" },
	{ "/root", "the root file system" },
	{ "/root/path", "directory of the root file system; relative to the bundle" },
	{ "/root/readonly", "the root file system cannot be written to" },
	{ "/mounts", "what is mounted into the root file system, in this order" },
	{ "/mounts/*/destination", "where in the container it is mounted" },
	{ "/mounts/*/source", "what is mounted: a path of the host for bind, else a name" },
	{ "/mounts/*/type", "type of the file system; of no meaning for bind mounts" },
	{ "/mounts/*/options", "mount options: flags, propagation, and data of the file system" },
	{ "/mounts/*/uidMappings", "user ids of the files as the container sees them" },
	{ "/mounts/*/gidMappings", "group ids of the files as the container sees them" },
	{ "/process", "the process that the container is there for" },
	{ "/process/terminal", "the process gets a terminal for standard input and output" },
	{ "/process/consoleSize", "size of the terminal in characters" },
	{ "/process/cwd", "working directory the process starts in" },
	{ "/process/env", "environment of the process, NAME=VALUE" },
	{ "/process/args", "program and its arguments" },
	{ "/process/commandLine", "the whole command line, on Windows" },
	{ "/process/rlimits", "limits of what the process may use (getrlimit(2))" },
	{ "/process/rlimits/*/type", "which limit" },
	{ "/process/rlimits/*/soft",
	  "the limit that counts; the process may raise it to the hard one" },
	{ "/process/rlimits/*/hard", "the ceiling, which only the privileged may raise" },
	{ "/process/apparmorProfile",
	  "AppArmor profile that confines the process; must be loaded" },
	{ "/process/selinuxLabel", "SELinux label of the process" },
	{ "/process/capabilities", "what root may do here (capabilities(7)), as five sets" },
	{ "/process/capabilities/bounding", "capabilities that can ever be gained" },
	{ "/process/capabilities/effective", "capabilities that count from the start" },
	{ "/process/capabilities/permitted", "capabilities that can be made effective" },
	{ "/process/capabilities/inheritable",
	  "capabilities that programs with such file capabilities gain when they are run" },
	{ "/process/capabilities/ambient",
	  "capabilities that stay over execve(2) without being root" },
	{ "/process/noNewPrivileges", "no program gains privileges by being run (setuid files)" },
	{ "/process/oomScoreAdj",
	  "how soon the kernel kills it when memory is short: -1000 never, 1000 first" },
	{ "/process/scheduler", "scheduling policy and its parameters (sched_setattr(2))" },
	{ "/process/ioPriority", "class and priority of its input and output (ioprio_set(2))" },
	{ "/process/execCPUAffinity", "CPUs of processes that are run later in the container" },
	{ "/process/execCPUAffinity/initial", "CPUs before they are in the control group" },
	{ "/process/execCPUAffinity/final", "CPUs once they are in the control group" },
	{ "/process/user", "who the process is" },
	{ "/process/user/uid", "user id, as seen in the container" },
	{ "/process/user/gid", "group id, as seen in the container" },
	{ "/process/user/umask", "umask of the process" },
	{ "/process/user/additionalGids", "further groups of the process" },
	{ "/process/user/username", "user name, on Windows" },
	{ "/hooks", "programs that are run at points of the container's life" },
	{ "/hooks/prestart", "deprecated: run as createRuntime hooks, before them" },
	{ "/hooks/createRuntime", "run in the runtime's namespaces before the root is changed" },
	{ "/hooks/createContainer",
	  "run in the container's namespaces before the root is changed" },
	{ "/hooks/startContainer", "run in the container before its process is started" },
	{ "/hooks/poststart", "run in the runtime's namespaces after the process was started" },
	{ "/hooks/poststop", "run in the runtime's namespaces after the container was deleted" },
	{ "/linux", "what only Linux has" },
	{ "/linux/namespaces", "what the container does not share with its runtime" },
	{ "/linux/namespaces/*/type", "kind of namespace" },
	{ "/linux/namespaces/*/path",
	  "an existing namespace to join; without it a new one is made" },
	{ "/linux/uidMappings", "user ids of the user namespace" },
	{ "/linux/gidMappings", "group ids of the user namespace" },
	{ "/linux/uidMappings/*/containerID", "first id inside" },
	{ "/linux/uidMappings/*/hostID", "the id outside that it is" },
	{ "/linux/uidMappings/*/size", "how many ids" },
	{ "/linux/gidMappings/*/containerID", "first id inside" },
	{ "/linux/gidMappings/*/hostID", "the id outside that it is" },
	{ "/linux/gidMappings/*/size", "how many ids" },
	{ "/linux/timeOffsets", "how far clocks of the time namespace are from the host's" },
	{ "/linux/devices", "device nodes that are made in the container" },
	{ "/linux/devices/*/path", "where in the container" },
	{ "/linux/devices/*/type", "c: character, b: block, p: FIFO" },
	{ "/linux/devices/*/major", "which driver" },
	{ "/linux/devices/*/minor", "which of its devices" },
	{ "/linux/devices/*/fileMode", "permissions of the node" },
	{ "/linux/devices/*/uid", "owner of the node" },
	{ "/linux/devices/*/gid", "group of the node" },
	{ "/linux/netDevices", "interfaces that are moved from the runtime's network namespace" },
	{ "/linux/netDevices/*/name", "what the interface is called inside" },
	{ "/linux/cgroupsPath", "the control group; SLICE:PREFIX:NAME where systemd makes it" },
	{ "/linux/resources", "what the container may use, by its control group" },
	{ "/linux/resources/devices", "which devices may be read, written and made (r, w, m); "
				      "later rules go over earlier ones" },
	{ "/linux/resources/memory", "memory limits in bytes; -1 is no limit" },
	{ "/linux/resources/memory/limit", "most memory; beyond it processes are killed" },
	{ "/linux/resources/memory/reservation", "memory to be left with when memory is short" },
	{ "/linux/resources/memory/swap", "most memory and swap together" },
	{ "/linux/resources/memory/kernel", "deprecated: kernels no longer have it" },
	{ "/linux/resources/memory/kernelTCP", "most memory for TCP buffers (cgroup v1)" },
	{ "/linux/resources/memory/swappiness", "how readily memory is swapped out, 0 to 100" },
	{ "/linux/resources/memory/disableOOMKiller",
	  "processes wait where memory is short, instead of being killed (cgroup v1)" },
	{ "/linux/resources/memory/useHierarchy", "count the memory of child groups (cgroup v1)" },
	{ "/linux/resources/memory/checkBeforeUpdate",
	  "a limit below what is used now is refused on update, not enforced" },
	{ "/linux/resources/cpu", "CPU time and CPUs" },
	{ "/linux/resources/cpu/shares", "weight against other control groups, 2 to 262144" },
	{ "/linux/resources/cpu/quota", "microseconds of CPU time in a period; -1 is no limit" },
	{ "/linux/resources/cpu/burst", "unused quota that may be used later, in microseconds" },
	{ "/linux/resources/cpu/period", "length of a period in microseconds" },
	{ "/linux/resources/cpu/realtimeRuntime", "realtime microseconds in a realtime period" },
	{ "/linux/resources/cpu/realtimePeriod", "length of a realtime period in microseconds" },
	{ "/linux/resources/cpu/cpus", "CPUs it may run on: 0-3,5" },
	{ "/linux/resources/cpu/mems", "memory nodes it may use" },
	{ "/linux/resources/cpu/idle", "1: run only when nothing else does" },
	{ "/linux/resources/pids", "processes and threads" },
	{ "/linux/resources/pids/limit", "most processes and threads; -1 is no limit" },
	{ "/linux/resources/blockIO", "weights and limits of block devices" },
	{ "/linux/resources/blockIO/weight", "weight of its input and output, 10 to 1000" },
	{ "/linux/resources/blockIO/leafWeight", "the same against its child groups (cgroup v1)" },
	{ "/linux/resources/blockIO/weightDevice", "weights for single devices" },
	{ "/linux/resources/blockIO/throttleReadBpsDevice", "most bytes a second to read" },
	{ "/linux/resources/blockIO/throttleWriteBpsDevice", "most bytes a second to write" },
	{ "/linux/resources/blockIO/throttleReadIOPSDevice", "most reads a second" },
	{ "/linux/resources/blockIO/throttleWriteIOPSDevice", "most writes a second" },
	{ "/linux/resources/hugepageLimits", "most memory in huge pages of a size, in bytes" },
	{ "/linux/resources/network", "class and priority of packets (cgroup v1)" },
	{ "/linux/resources/network/classID", "class that traffic control sees" },
	{ "/linux/resources/network/priorities", "priority of packets on an interface" },
	{ "/linux/resources/rdma", "RDMA handles and objects of a device" },
	{ "/linux/resources/unified", "control files of cgroup v2, as they are written" },
	{ "/linux/rootfsPropagation", "how mounts spread between the root and the host" },
	{ "/linux/seccomp", "which system calls are let through" },
	{ "/linux/seccomp/defaultAction", "what is done about calls without a rule" },
	{ "/linux/seccomp/defaultErrnoRet", "error of such calls, when the action is an error" },
	{ "/linux/seccomp/architectures", "kinds of system calls that are filtered" },
	{ "/linux/seccomp/flags", "flags of seccomp(2)" },
	{ "/linux/seccomp/listenerPath", "socket of who decides about calls with SCMP_ACT_NOTIFY" },
	{ "/linux/seccomp/listenerMetadata", "what the listener is told" },
	{ "/linux/seccomp/syscalls", "what is done about some calls" },
	{ "/linux/seccomp/syscalls/*/names", "which calls" },
	{ "/linux/seccomp/syscalls/*/action", "what is done about them" },
	{ "/linux/seccomp/syscalls/*/errnoRet", "their error, when the action is an error" },
	{ "/linux/seccomp/syscalls/*/args", "only when the arguments compare so" },
	{ "/linux/sysctl", "kernel parameters of the container's own namespaces" },
	{ "/linux/maskedPaths", "paths that look empty inside" },
	{ "/linux/readonlyPaths", "paths that cannot be written to" },
	{ "/linux/mountLabel", "SELinux label of the mounts" },
	{ "/linux/intelRdt", "shares of caches and memory bandwidth (resctrl)" },
	{ "/linux/intelRdt/closID", "class of service to be in" },
	{ "/linux/intelRdt/schemata", "lines of the schemata file of the class" },
	{ "/linux/intelRdt/l3CacheSchema", "share of the L3 cache" },
	{ "/linux/intelRdt/memBwSchema", "share of the memory bandwidth" },
	{ "/linux/intelRdt/enableMonitoring", "a group of its own that is monitored" },
	{ "/linux/memoryPolicy", "NUMA policy (set_mempolicy(2))" },
	{ "/linux/memoryPolicy/mode", "how nodes are chosen" },
	{ "/linux/memoryPolicy/nodes", "which nodes: 0-3,5" },
	{ "/linux/personality", "execution domain (personality(2))" },
	{ "/solaris", "what only Solaris has: a zone" },
	{ "/windows", "what only Windows has" },
	{ "/windows/layerFolders", "layers of the image, the writable one last" },
	{ "/vm", "the virtual machine around the container" },
	{ "/vm/hypervisor", "program that runs the machine, with its parameters" },
	{ "/vm/kernel", "kernel of the machine, with its parameters" },
	{ "/vm/image", "image with the machine's root file system" },
	{ "/zos", "what only z/OS has" },
	{ "/zos/namespaces", "what the container has of its own, not shared with the host" },
	{ "/freebsd", "what only FreeBSD has" },
	{ "/freebsd/devices", "further devices that devfs shows" },
	{ "/freebsd/jail", "parameters of the jail (jail(8))" },
};

/* Whether the specification has the member; *spec is where what it is in is described. */
static bool is_known(const char *pattern, const char **spec)
{
	const struct field *field = &schema_config;

	*spec = field->spec;
	while (*pattern == '/') {
		size_t length = strcspn(pattern + 1, "/");
		cleanup_free char *key = xstrndup(pattern + 1, length);

		if (field->shape == ANY)
			return true;
		if (field->members) {
			const struct field *member = field->members;

			while (member->key && strcmp(member->key, key) != 0)
				member++;
			if (!member->key)
				return false;
			field = member;
		} else if (field->element) {
			field = field->element;
		} else {
			return false;
		}
		if (field->spec)
			*spec = field->spec;
		pattern += 1 + length;
	}
	return true;
}

const char *meaning_of(const char *pattern, const char **spec)
{
	cleanup_free char *part = xstrdup(pattern);

	if (!is_known(pattern, spec))
		return NULL;
	for (;;) {
		for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
			if (strcmp(meanings[i].pattern, part) == 0)
				return meanings[i].text;
		*strrchr(part, '/') = '\0'; /* "" is in the table */
	}
}

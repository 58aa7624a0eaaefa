/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a config.json for Linux (runtime-spec 1.0 to 1.3, config.md and config-linux.md)
 * as tables. Other platforms are in schema_platforms.c. What is required on some platforms only is
 * for the rules to say.
 */
#include "oci-gen/schema.h"

#include <limits.h>
#include <stddef.h>

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NUMBERS	  .shape = NUMBER, .min = 0, .max = LLONG_MAX
#define ID	  .shape = NUMBER, .min = 0, .max = 4294967295LL
#define ANY_INT	  .shape = NUMBER, .min = LLONG_MIN, .max = LLONG_MAX

static const struct field text_element = { .shape = TEXT };
static const struct field id_element = { ID };
static const struct field map_of_text = { .shape = TEXT };

static const struct field capability_members[] = {
	{ "bounding", .shape = ARRAY, .element = &text_element },
	{ "effective", .shape = ARRAY, .element = &text_element },
	{ "permitted", .shape = ARRAY, .element = &text_element },
	{ "inheritable", .shape = ARRAY, .element = &text_element },
	{ "ambient", .shape = ARRAY, .element = &text_element },
	{ 0 },
};

static const struct field rlimit_members[] = {
	{ "type", .shape = TEXT, .required = true },
	{ "soft", NUMBERS, .required = true },
	{ "hard", NUMBERS, .required = true },
	{ 0 },
};
static const struct field rlimit = { .shape = OBJECT,
				     .members = rlimit_members,
				     .spec = "config.md#posix-process" };

static const struct field user_members[] = {
	{ "uid", ID },
	{ "gid", ID },
	{ "umask", NUMBERS },
	{ "additionalGids", .shape = ARRAY, .element = &id_element },
	{ "username", .shape = TEXT },
	{ 0 },
};

static const struct field console_members[] = {
	{ "height", NUMBERS, .required = true },
	{ "width", NUMBERS, .required = true },
	{ 0 },
};

static const struct field scheduler_flag = {
	.shape = TEXT,
	.values = LIST("SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN",
		       "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
		       "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"),
};

static const struct field scheduler_members[] = {
	{ "policy", .shape = TEXT, .required = true,
	  .values = LIST("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO",
			 "SCHED_IDLE", "SCHED_DEADLINE") },
	{ "nice", .shape = NUMBER, .min = -20, .max = 19 },
	{ "priority", ANY_INT },
	{ "flags", .shape = ARRAY, .element = &scheduler_flag },
	{ "runtime", NUMBERS },
	{ "deadline", NUMBERS },
	{ "period", NUMBERS },
	{ 0 },
};

static const struct field io_priority_members[] = {
	{ "class", .shape = TEXT, .required = true,
	  .values = LIST("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE") },
	{ "priority", .shape = NUMBER, .min = 0, .max = 7 },
	{ 0 },
};

static const struct field affinity_members[] = {
	{ "initial", .shape = TEXT },
	{ "final", .shape = TEXT },
	{ 0 },
};

static const struct field process_members[] = {
	{ "terminal", .shape = BOOLEAN },
	{ "consoleSize", .shape = OBJECT, .members = console_members, .spec = "config.md#process" },
	{ "cwd", .shape = TEXT, .required = true, .not_empty = true },
	{ "env", .shape = ARRAY, .element = &text_element },
	{ "args", .shape = ARRAY, .not_empty = true, .element = &text_element },
	{ "commandLine", .shape = TEXT },
	{ "rlimits", .shape = ARRAY, .element = &rlimit, .spec = "config.md#posix-process" },
	{ "apparmorProfile", .shape = TEXT, .spec = "config.md#linux-process" },
	{ "capabilities", .shape = OBJECT, .members = capability_members,
	  .spec = "config.md#linux-process" },
	{ "noNewPrivileges", .shape = BOOLEAN, .spec = "config.md#linux-process" },
	{ "oomScoreAdj", .shape = NUMBER, .min = -1000, .max = 1000,
	  .spec = "config.md#linux-process" },
	{ "scheduler", .shape = OBJECT, .members = scheduler_members,
	  .spec = "config.md#linux-process" },
	{ "selinuxLabel", .shape = TEXT, .spec = "config.md#linux-process" },
	{ "ioPriority", .shape = OBJECT, .members = io_priority_members,
	  .spec = "config.md#linux-process" },
	{ "execCPUAffinity", .shape = OBJECT, .members = affinity_members,
	  .spec = "config.md#linux-process" },
	{ "user", .shape = OBJECT, .members = user_members, .spec = "config.md#user" },
	{ 0 },
};

static const struct field root_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "readonly", .shape = BOOLEAN },
	{ 0 },
};

static const struct field mapping_members[] = {
	{ "containerID", ID, .required = true },
	{ "hostID", ID, .required = true },
	{ "size", ID, .required = true },
	{ 0 },
};
static const struct field mapping = { .shape = OBJECT,
				      .members = mapping_members,
				      .spec = "config-linux.md#user-namespace-mappings" };

static const struct field mount_members[] = {
	{ "destination", .shape = TEXT, .required = true, .not_empty = true },
	{ "source", .shape = TEXT },
	{ "type", .shape = TEXT },
	{ "options", .shape = ARRAY, .element = &text_element },
	{ "uidMappings", .shape = ARRAY, .element = &mapping },
	{ "gidMappings", .shape = ARRAY, .element = &mapping },
	{ 0 },
};
static const struct field mount = { .shape = OBJECT,
				    .members = mount_members,
				    .spec = "config.md#mounts" };

static const struct field hook_members[] = {
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "args", .shape = ARRAY, .element = &text_element },
	{ "env", .shape = ARRAY, .element = &text_element },
	{ "timeout", .shape = NUMBER, .min = 1, .max = LLONG_MAX },
	{ 0 },
};
static const struct field hook = { .shape = OBJECT,
				   .members = hook_members,
				   .spec = "config.md#posix-platform-hooks" };

static const struct field hooks_members[] = {
	{ "prestart", .shape = ARRAY, .element = &hook },
	{ "createRuntime", .shape = ARRAY, .element = &hook },
	{ "createContainer", .shape = ARRAY, .element = &hook },
	{ "startContainer", .shape = ARRAY, .element = &hook },
	{ "poststart", .shape = ARRAY, .element = &hook },
	{ "poststop", .shape = ARRAY, .element = &hook },
	{ 0 },
};

static const struct field namespace_members[] = {
	{ "type", .shape = TEXT, .required = true,
	  .values = LIST("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time") },
	{ "path", .shape = TEXT, .not_empty = true },
	{ 0 },
};
static const struct field namespace = { .shape = OBJECT,
					.members = namespace_members,
					.spec = "config-linux.md#namespaces" };

static const struct field device_members[] = {
	{ "type", .shape = TEXT, .required = true, .values = LIST("c", "b", "u", "p") },
	{ "path", .shape = TEXT, .required = true, .not_empty = true },
	{ "major", ANY_INT },
	{ "minor", ANY_INT },
	{ "fileMode", .shape = NUMBER, .min = 0, .max = 0177777 },
	{ "uid", ID },
	{ "gid", ID },
	{ 0 },
};
static const struct field device = { .shape = OBJECT,
				     .members = device_members,
				     .spec = "config-linux.md#devices" };

static const struct field net_device_members[] = {
	{ "name", .shape = TEXT },
	{ 0 },
};
static const struct field net_device = { .shape = OBJECT,
					 .members = net_device_members,
					 .spec = "config-linux.md#network-devices" };

static const struct field device_rule_members[] = {
	{ "allow", .shape = BOOLEAN, .required = true },
	{ "type", .shape = TEXT, .values = LIST("a", "c", "b") },
	{ "major", ANY_INT },
	{ "minor", ANY_INT },
	{ "access", .shape = TEXT },
	{ 0 },
};
static const struct field device_rule = { .shape = OBJECT,
					  .members = device_rule_members,
					  .spec = "config-linux.md#allowed-device-list" };

static const struct field memory_members[] = {
	{ "limit", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "reservation", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "swap", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "kernel", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "kernelTCP", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "swappiness", .shape = NUMBER, .min = 0, .max = 100 },
	{ "disableOOMKiller", .shape = BOOLEAN },
	{ "useHierarchy", .shape = BOOLEAN },
	{ "checkBeforeUpdate", .shape = BOOLEAN },
	{ 0 },
};

static const struct field cpu_members[] = {
	{ "shares", NUMBERS },
	{ "quota", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "burst", NUMBERS },
	{ "period", NUMBERS },
	{ "realtimeRuntime", .shape = NUMBER, .min = -1, .max = LLONG_MAX },
	{ "realtimePeriod", NUMBERS },
	{ "cpus", .shape = TEXT },
	{ "mems", .shape = TEXT },
	{ "idle", .shape = NUMBER, .min = 0, .max = 1 },
	{ 0 },
};

static const struct field weight_device_members[] = {
	{ "major", NUMBERS, .required = true },
	{ "minor", NUMBERS, .required = true },
	{ "weight", .shape = NUMBER, .min = 0, .max = 1000 },
	{ "leafWeight", .shape = NUMBER, .min = 0, .max = 1000 },
	{ 0 },
};
static const struct field weight_device = { .shape = OBJECT,
					    .members = weight_device_members,
					    .spec = "config-linux.md#block-io" };

static const struct field throttle_device_members[] = {
	{ "major", NUMBERS, .required = true },
	{ "minor", NUMBERS, .required = true },
	{ "rate", NUMBERS, .required = true },
	{ 0 },
};
static const struct field throttle_device = { .shape = OBJECT,
					      .members = throttle_device_members,
					      .spec = "config-linux.md#block-io" };

static const struct field block_io_members[] = {
	{ "weight", .shape = NUMBER, .min = 0, .max = 1000 },
	{ "leafWeight", .shape = NUMBER, .min = 0, .max = 1000 },
	{ "weightDevice", .shape = ARRAY, .element = &weight_device },
	{ "throttleReadBpsDevice", .shape = ARRAY, .element = &throttle_device },
	{ "throttleWriteBpsDevice", .shape = ARRAY, .element = &throttle_device },
	{ "throttleReadIOPSDevice", .shape = ARRAY, .element = &throttle_device },
	{ "throttleWriteIOPSDevice", .shape = ARRAY, .element = &throttle_device },
	{ 0 },
};

static const struct field huge_page_members[] = {
	{ "pageSize", .shape = TEXT, .required = true },
	{ "limit", NUMBERS, .required = true },
	{ 0 },
};
static const struct field huge_page = { .shape = OBJECT,
					.members = huge_page_members,
					.spec = "config-linux.md#huge-page-limits" };

static const struct field priority_members[] = {
	{ "name", .shape = TEXT, .required = true },
	{ "priority", ID, .required = true },
	{ 0 },
};
static const struct field priority = { .shape = OBJECT,
				       .members = priority_members,
				       .spec = "config-linux.md#network" };

static const struct field network_members[] = {
	{ "classID", ID },
	{ "priorities", .shape = ARRAY, .element = &priority },
	{ 0 },
};

static const struct field pids_members[] = {
	{ "limit", ANY_INT },
	{ 0 },
};

static const struct field rdma_members[] = {
	{ "hcaHandles", ID },
	{ "hcaObjects", ID },
	{ 0 },
};
static const struct field rdma = { .shape = OBJECT,
				   .members = rdma_members,
				   .spec = "config-linux.md#rdma" };

static const struct field resource_members[] = {
	{ "devices", .shape = ARRAY, .element = &device_rule,
	  .spec = "config-linux.md#allowed-device-list" },
	{ "memory", .shape = OBJECT, .members = memory_members, .spec = "config-linux.md#memory" },
	{ "cpu", .shape = OBJECT, .members = cpu_members, .spec = "config-linux.md#cpu" },
	{ "pids", .shape = OBJECT, .members = pids_members, .spec = "config-linux.md#pids" },
	{ "blockIO", .shape = OBJECT, .members = block_io_members,
	  .spec = "config-linux.md#block-io" },
	{ "hugepageLimits", .shape = ARRAY, .element = &huge_page,
	  .spec = "config-linux.md#huge-page-limits" },
	{ "network", .shape = OBJECT, .members = network_members,
	  .spec = "config-linux.md#network" },
	{ "rdma", .shape = MAP, .element = &rdma, .spec = "config-linux.md#rdma" },
	{ "unified", .shape = MAP, .element = &map_of_text, .spec = "config-linux.md#unified" },
	{ 0 },
};

#define ACTIONS                                                                                    \
	LIST("SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",    \
	     "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",                 \
	     "SCMP_ACT_NOTIFY")

static const struct field argument_members[] = {
	{ "index", .shape = NUMBER, .required = true, .min = 0, .max = 5 },
	{ "value", NUMBERS, .required = true },
	{ "valueTwo", NUMBERS },
	{ "op", .shape = TEXT, .required = true,
	  .values = LIST("SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
			 "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ") },
	{ 0 },
};
static const struct field argument = { .shape = OBJECT,
				       .members = argument_members,
				       .spec = "config-linux.md#seccomp" };

static const struct field syscall_members[] = {
	{ "names", .shape = ARRAY, .required = true, .not_empty = true, .element = &text_element },
	{ "action", .shape = TEXT, .required = true, .values = ACTIONS },
	{ "errnoRet", .shape = NUMBER, .min = 0, .max = 65535 },
	{ "args", .shape = ARRAY, .element = &argument },
	{ 0 },
};
static const struct field syscall_rule = { .shape = OBJECT,
					   .members = syscall_members,
					   .spec = "config-linux.md#seccomp" };

static const struct field architecture = {
	.shape = TEXT,
	.values = LIST("SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM",
		       "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
		       "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
		       "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
		       "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
		       "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
		       "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"),
};
static const struct field seccomp_flag = {
	.shape = TEXT,
	.values = LIST("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
		       "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
};

static const struct field seccomp_members[] = {
	{ "defaultAction", .shape = TEXT, .required = true, .values = ACTIONS },
	{ "defaultErrnoRet", .shape = NUMBER, .min = 0, .max = 65535 },
	{ "architectures", .shape = ARRAY, .element = &architecture },
	{ "flags", .shape = ARRAY, .element = &seccomp_flag },
	{ "listenerPath", .shape = TEXT },
	{ "listenerMetadata", .shape = TEXT },
	{ "syscalls", .shape = ARRAY, .element = &syscall_rule },
	{ 0 },
};

static const struct field time_offset_members[] = {
	{ "secs", ANY_INT },
	{ "nanosecs", .shape = NUMBER, .min = 0, .max = 999999999 },
	{ 0 },
};
static const struct field time_offset = { .shape = OBJECT,
					  .members = time_offset_members,
					  .spec = "config-linux.md#offset-for-time-namespace" };

static const struct field rdt_members[] = {
	{ "closID", .shape = TEXT },
	{ "schemata", .shape = ARRAY, .element = &text_element },
	{ "l3CacheSchema", .shape = TEXT },
	{ "memBwSchema", .shape = TEXT },
	{ "enableCMT", .shape = BOOLEAN },
	{ "enableMBM", .shape = BOOLEAN },
	{ "enableMonitoring", .shape = BOOLEAN },
	{ 0 },
};

static const struct field personality_members[] = {
	{ "domain", .shape = TEXT, .required = true, .values = LIST("LINUX", "LINUX32") },
	{ "flags", .shape = ARRAY, .element = &text_element },
	{ 0 },
};

static const struct field memory_policy_flag = {
	.shape = TEXT,
	.values = LIST("MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"),
};

static const struct field memory_policy_members[] = {
	{ "mode", .shape = TEXT, .required = true,
	  .values = LIST("MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
			 "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL") },
	{ "nodes", .shape = TEXT },
	{ "flags", .shape = ARRAY, .element = &memory_policy_flag },
	{ 0 },
};

static const struct field linux_members[] = {
	{ "namespaces", .shape = ARRAY, .element = &namespace,
	  .spec = "config-linux.md#namespaces" },
	{ "uidMappings", .shape = ARRAY, .element = &mapping,
	  .spec = "config-linux.md#user-namespace-mappings" },
	{ "gidMappings", .shape = ARRAY, .element = &mapping,
	  .spec = "config-linux.md#user-namespace-mappings" },
	{ "timeOffsets", .shape = MAP, .element = &time_offset,
	  .spec = "config-linux.md#offset-for-time-namespace" },
	{ "devices", .shape = ARRAY, .element = &device, .spec = "config-linux.md#devices" },
	{ "netDevices", .shape = MAP, .element = &net_device,
	  .spec = "config-linux.md#network-devices" },
	{ "cgroupsPath", .shape = TEXT, .spec = "config-linux.md#cgroups-path" },
	{ "resources", .shape = OBJECT, .members = resource_members,
	  .spec = "config-linux.md#control-groups" },
	/* the prose has four of these, runtimes and the kernel the recursive ones, too */
	{ "rootfsPropagation", .shape = TEXT,
	  .values = LIST("", "shared", "rshared", "slave", "rslave", "private", "rprivate",
			 "unbindable", "runbindable"),
	  .spec = "config-linux.md#rootfs-mount-propagation" },
	{ "seccomp", .shape = OBJECT, .members = seccomp_members,
	  .spec = "config-linux.md#seccomp" },
	{ "sysctl", .shape = MAP, .element = &map_of_text, .spec = "config-linux.md#sysctl" },
	{ "maskedPaths", .shape = ARRAY, .element = &text_element,
	  .spec = "config-linux.md#masked-paths" },
	{ "readonlyPaths", .shape = ARRAY, .element = &text_element,
	  .spec = "config-linux.md#readonly-paths" },
	{ "mountLabel", .shape = TEXT, .spec = "config-linux.md#mount-label" },
	{ "intelRdt", .shape = OBJECT, .members = rdt_members, .spec = "config-linux.md#intelrdt" },
	{ "memoryPolicy", .shape = OBJECT, .members = memory_policy_members,
	  .spec = "config-linux.md#memory-policy" },
	{ "personality", .shape = OBJECT, .members = personality_members,
	  .spec = "config-linux.md#personality" },
	{ 0 },
};

static const struct field config_members[] = {
	{ "ociVersion", .shape = TEXT, .required = true, .not_empty = true,
	  .spec = "config.md#specification-version" },
	{ "root", .shape = OBJECT, .members = root_members, .spec = "config.md#root" },
	{ "mounts", .shape = ARRAY, .element = &mount, .spec = "config.md#mounts" },
	{ "process", .shape = OBJECT, .members = process_members, .spec = "config.md#process" },
	{ "hostname", .shape = TEXT, .spec = "config.md#hostname" },
	{ "domainname", .shape = TEXT, .spec = "config.md#domainname" },
	{ "hooks", .shape = OBJECT, .members = hooks_members,
	  .spec = "config.md#posix-platform-hooks" },
	{ "annotations", .shape = MAP, .element = &map_of_text, .spec = "config.md#annotations" },
	{ "linux", .shape = OBJECT, .members = linux_members, .spec = "config-linux.md" },
	{ "solaris", .shape = OBJECT, .members = schema_solaris, .spec = "config-solaris.md" },
	{ "windows", .shape = OBJECT, .members = schema_windows, .spec = "config-windows.md" },
	{ "vm", .shape = OBJECT, .members = schema_vm, .spec = "config-vm.md" },
	{ "zos", .shape = OBJECT, .members = schema_zos, .spec = "config-zos.md" },
	{ "freebsd", .shape = OBJECT, .members = schema_freebsd, .spec = "config-freebsd.md" },
	{ 0 },
};
const struct field schema_config = { .shape = OBJECT,
				     .members = config_members,
				     .spec = "config.md" };

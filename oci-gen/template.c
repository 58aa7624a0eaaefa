/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/template.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/version.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"

#include <glob.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

/* The set that docker and containerd give, so that images find what they were tested with. */
static const int capabilities[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN,   CAP_DAC_OVERRIDE,	    CAP_FOWNER,	    CAP_FSETID,
	CAP_KILL,	 CAP_MKNOD,   CAP_NET_BIND_SERVICE, CAP_NET_RAW,    CAP_SETFCAP,
	CAP_SETGID,	 CAP_SETPCAP, CAP_SETUID,	    CAP_SYS_CHROOT,
};

static const char *const namespaces[] = { "mount", "pid", "ipc", "uts", "network" };

static const struct {
	const char *destination, *type, *source, *options;
} mounts[] = {
	{ "/proc", "proc", "proc", "nosuid,noexec,nodev" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
	{ "/dev/pts", "devpts", "devpts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	"/sys/fs/selinux",
};

/* Beside /proc/interrupts it tells when others are busy. */
#define THERMAL_PATHS "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle"

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* Device access in the order the runtime applies it; -1 stands for every number. */
static const struct {
	bool allow;
	const char *type;
	int major, minor;
	const char *access;
} device_rules[] = {
	{ false, NULL, -1, -1, "rwm" },
	{ true, "c", -1, -1, "m" }, /* making a node gives no access to its device */
	{ true, "b", -1, -1, "m" },
	{ true, "c", 1, 3, "rwm" },    /* null */
	{ true, "c", 1, 5, "rwm" },    /* zero */
	{ true, "c", 1, 7, "rwm" },    /* full */
	{ true, "c", 1, 8, "rwm" },    /* random */
	{ true, "c", 1, 9, "rwm" },    /* urandom */
	{ true, "c", 5, 0, "rwm" },    /* tty */
	{ true, "c", 5, 1, "rwm" },    /* console */
	{ true, "c", 5, 2, "rwm" },    /* ptmx */
	{ true, "c", 136, -1, "rwm" }, /* pts */
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

uint64_t template_capabilities(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < COUNT(capabilities); i++)
		set |= UINT64_C(1) << capabilities[i];
	return set;
}

static json_t *text_array(const char *const *items, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(items[i]));
	return array;
}

static json_t *masked_array(void)
{
	json_t *array = text_array(masked_paths, COUNT(masked_paths));
	glob_t found;

	if (glob(THERMAL_PATHS, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			json_array_append_new(array, json_string(found.gl_pathv[i]));
		globfree(&found);
	}
	return array;
}

static json_t *namespace_array(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < COUNT(namespaces); i++)
		json_array_append_new(array, json_pack("{s:s}", "type", namespaces[i]));
	if (access("/proc/self/ns/cgroup", F_OK) == 0)
		json_array_append_new(array, json_pack("{s:s}", "type", "cgroup"));
	return array;
}

static json_t *mount_array(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < COUNT(mounts); i++)
		json_array_append_new(array, mount_new(mounts[i].destination, mounts[i].type,
						       mounts[i].source, mounts[i].options));
	return array;
}

static json_t *device_rule_array(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < COUNT(device_rules); i++) {
		json_t *rule = json_pack("{s:b, s:s}", "allow", device_rules[i].allow, "access",
					 device_rules[i].access);

		if (device_rules[i].type)
			json_object_set_new(rule, "type", json_string(device_rules[i].type));
		if (device_rules[i].major >= 0)
			json_object_set_new(rule, "major", json_integer(device_rules[i].major));
		if (device_rules[i].minor >= 0)
			json_object_set_new(rule, "minor", json_integer(device_rules[i].minor));
		json_array_append_new(array, rule);
	}
	return array;
}

json_t *template_config(void)
{
	json_t *config = json_object();

	pointer_set(config, "/ociVersion", json_string(OCI_RUNTIME_SPEC_VERSION));
	pointer_set(config, "/process/terminal", json_false());
	pointer_set(config, "/process/user", json_pack("{s:i, s:i}", "uid", 0, "gid", 0));
	pointer_set(config, "/process/cwd", json_string("/"));
	pointer_set(config, "/process/noNewPrivileges", json_false());
	pointer_set(config, "/root/path", json_string("rootfs"));
	pointer_set(config, "/root/readonly", json_false());
	pointer_set(config, "/mounts", mount_array());
	pointer_set(config, "/linux/namespaces", namespace_array());
	pointer_set(config, "/linux/resources/devices", device_rule_array());
	pointer_set(config, "/linux/maskedPaths", masked_array());
	pointer_set(config, "/linux/readonlyPaths",
		    text_array(readonly_paths, COUNT(readonly_paths)));
	return config;
}

/* A shell in the root of the bundle. Takes the reference to the platform's own section. */
static json_t *posix_config(const char *platform, json_t *section)
{
	return json_pack("{s:{s:s, s:b}, s:{s:s, s:[s], s:[s], s:{s:i, s:i}}, s:o}", "root", "path",
			 "rootfs", "readonly", 0, "process", "cwd", "/", "args", "sh", "env",
			 "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "user", "uid", 0, "gid", 0, platform,
			 section);
}

/* A name and a network of its own, and the devices that every jail may have. */
static json_t *freebsd_config(void)
{
	json_t *jail = json_pack("{s:{s:s, s:s}}", "jail", "host", "new", "vnet", "new");
	json_t *config = posix_config("freebsd", jail);

	pointer_set(config, "/ociVersion", json_string("1.3.0"));
	pointer_set(config, "/mounts",
		    json_pack("[o]", mount_new("/dev", "devfs", "devfs", "ruleset=4")));
	return config;
}

json_t *template_of(const char *os)
{
	if (strcmp(os, "solaris") == 0)
		return posix_config(os, json_object());
	if (strcmp(os, "freebsd") == 0)
		return freebsd_config();
	if (strcmp(os, "windows") == 0)
		return json_pack("{s:{s:s, s:[s], s:{}}, s:{}}", "process", "cwd", "C:\\", "args",
				 "cmd", "user", "windows");
	return NULL;
}

static void make_writable(json_t *mount)
{
	json_t *options = json_object_get(mount, "options");

	for (size_t i = json_array_size(options); i-- > 0;) {
		const char *option = json_string_value(json_array_get(options, i));

		if (option && strcmp(option, "ro") == 0)
			json_array_remove(options, i);
	}
}

static bool is_of_sys(const json_t *mount)
{
	cleanup_free char *place = mount_place(json_text(mount, "destination", ""));

	return strncmp(place, "/sys", 4) == 0 && (!place[4] || place[4] == '/');
}

void template_privileged(json_t *config)
{
	json_t *mount;
	size_t i;

	json_array_foreach (pointer_get(config, "/mounts"), i, mount) {
		if (is_of_sys(mount))
			make_writable(mount);
	}
	pointer_set(config, "/linux/resources/devices",
		    json_pack("[{s:b, s:s}]", "allow", 1, "access", "rwm"));
	pointer_remove(config, "/linux/maskedPaths");
	pointer_remove(config, "/linux/readonlyPaths");
}

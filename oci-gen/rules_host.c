/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about this host: whether what a configuration names is there. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/namespace.h"
#include "lib/path.h"
#include "oci-gen/capabilities.h"
#include "oci-gen/known.h"
#include "oci-gen/pointer.h"
#include "oci-gen/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SYSTEMS_MAX = 64 << 10 };

/* Where the configuration is, for its relative paths. */
struct host {
	const json_t *config;
	const char *directory;
	int root_fd; /* of the root file system, or -1 */
};

static char *absolute(const struct host *host, const char *path)
{
	return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", host->directory, path);
}

static void check_root(const struct host *host, const struct rule *rule, struct findings *findings)
{
	const char *path = json_string_value(pointer_get(host->config, "/root/path"));
	struct stat st;

	if (!path || !*path)
		return;
	cleanup_free char *full = absolute(host, path);
	if (stat(full, &st) < 0)
		findings_add(findings, rule, "/root/path", "%.128s: %s", full, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		findings_add(findings, rule, "/root/path", "%.128s is not a directory", full);
}

/* A path of the container that must be there as it starts. */
static int open_inside(const struct host *host, const char *path)
{
	struct error unused;

	return host->root_fd < 0 ? -1 : path_open_in_root(host->root_fd, path, O_PATH, &unused);
}

/* The mount that a path of the container lies on could hold it. */
static bool is_mounted_over(const struct host *host, const char *path)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(host->config, "mounts"), i, mount) {
		const char *destination = json_text(mount, "destination", "");
		size_t length = strlen(destination);

		while (length > 0 && destination[length - 1] == '/')
			length--;
		if (length > 0 && strncmp(path, destination, length) == 0 &&
		    (!path[length] || path[length] == '/'))
			return true;
	}
	return false;
}

static void check_program(const struct host *host, const struct rule *rule,
			  struct findings *findings)
{
	const char *path =
		json_string_value(json_array_get(pointer_get(host->config, "/process/args"), 0));
	struct stat st;

	if (host->root_fd < 0 || !path || *path != '/' || is_mounted_over(host, path))
		return;
	cleanup_fd int fd = open_inside(host, path);
	if (fd < 0)
		findings_add(findings, rule, "/process/args/0", "%.128s is not in the root", path);
	else if (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)))
		findings_add(findings, rule, "/process/args/0", "%.128s is not a program", path);
}

static void check_sources(const struct host *host, const struct rule *rule,
			  struct findings *findings)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(host->config, "mounts"), i, mount) {
		const char *source = json_text(mount, "source", "");
		cleanup_free char *full = absolute(host, source);

		if (rules_is_bind(mount) && *source && access(full, F_OK) < 0)
			findings_add_entry(findings, rule, "/mounts", i, "source", "%.128s: %s",
					   full, strerror(errno));
	}
}

/* /proc/filesystems has lines of [nodev] TAB NAME. */
static bool knows_file_system(const char *list, const char *type)
{
	size_t length = strlen(type);

	for (const char *at = list; (at = strstr(at, type)); at += length)
		if (at > list && at[-1] == '\t' && at[length] == '\n')
			return true;
	return false;
}

static void check_types(const struct host *host, const struct rule *rule, struct findings *findings)
{
	const json_t *mount;
	struct error unused;
	size_t length, i;
	cleanup_free char *list =
		file_read_at(AT_FDCWD, "/proc/filesystems", FILE_SYSTEMS_MAX, &length, &unused);

	json_array_foreach (json_object_get(host->config, "mounts"), i, mount) {
		const char *type = json_text(mount, "type", "");

		if (list && *type && !rules_is_bind(mount) && strcmp(type, "cgroup") != 0 &&
		    !knows_file_system(list, type))
			findings_add_entry(
				findings, rule, "/mounts", i, "type",
				"%.32s is not a file system of this kernel, or not loaded", type);
	}
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void check_hooks(const struct host *host, const struct rule *rule, struct findings *findings)
{
	const json_t *hook;
	json_t *list;
	const char *stage;
	size_t i;

	json_object_foreach (json_object_get(host->config, "hooks"), stage, list) {
		/* this one is a program of the container's */
		bool inside = strcmp(stage, "startContainer") == 0;

		json_array_foreach (list, i, hook) {
			const char *path = json_text(hook, "path", "");
			cleanup_free char *at = xasprintf("/hooks/%s/%zu/path", stage, i);

			if (*path != '/' || inside)
				continue;
			if (access(path, X_OK) < 0)
				findings_add(findings, rule, at, "%.128s: %s", path,
					     strerror(errno));
			else if (!is_file(path))
				findings_add(findings, rule, at, "%.128s is not a file", path);
		}
	}
}

static bool is_namespace(int fd, const char *type)
{
	int flag = 0;

	for (const struct known_namespace *n = known_namespaces; n->type; n++)
		if (strcmp(n->type, type) == 0)
			flag = n->flag;
	return namespace_is(fd, flag);
}

static void check_namespaces(const struct host *host, const struct rule *rule,
			     struct findings *findings)
{
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(host->config, "/linux/namespaces"), i, namespace) {
		const char *path = json_text(namespace, "path", "");
		const char *type = json_text(namespace, "type", "");

		if (*path != '/')
			continue;
		/* O_NONBLOCK: it may be anything, also a FIFO */
		cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			findings_add_entry(findings, rule, "/linux/namespaces", i, "path",
					   "%.128s: %s", path, strerror(errno));
		else if (!is_namespace(fd, type))
			findings_add_entry(findings, rule, "/linux/namespaces", i, "path",
					   "%.128s is not a %.32s namespace", path, type);
	}
}

static void check_kinds(const struct host *host, const struct rule *rule, struct findings *findings)
{
	const json_t *namespace;
	size_t i;

	json_array_foreach (pointer_get(host->config, "/linux/namespaces"), i, namespace) {
		const char *type = json_text(namespace, "type", "");

		for (const struct known_namespace *n = known_namespaces; n->type; n++) {
			cleanup_free char *path = xasprintf("/proc/self/ns/%s", n->alias);

			if (strcmp(type, n->type) == 0 && access(path, F_OK) < 0)
				findings_add_entry(findings, rule, "/linux/namespaces", i, "type",
						   "this kernel has no %s namespaces", type);
		}
	}
}

static void check_capabilities(const struct host *host, const struct rule *rule,
			       struct findings *findings)
{
	const json_t *item;
	json_t *list;
	const char *set;
	size_t i;

	json_object_foreach (pointer_get(host->config, "/process/capabilities"), set, list) {
		json_array_foreach (list, i, item) {
			const char *name = json_string_value(item);
			int number = name ? known_capability(name) : -1;
			cleanup_free char *at = xasprintf("/process/capabilities/%s/%zu", set, i);

			if (number >= 0 && !(capabilities_available() >> number & 1))
				findings_add(findings, rule, at,
					     "%s is not in the bounding set here", name);
		}
	}
}

static void check_profile(const struct host *host, const struct rule *rule,
			  struct findings *findings)
{
	const char *name = json_string_value(pointer_get(host->config, "/process/apparmorProfile"));

	if (name && *name && access("/sys/module/apparmor", F_OK) < 0)
		findings_add(findings, rule, "/process/apparmorProfile",
			     "this kernel has no AppArmor");
}

static void check_label(const struct host *host, const struct rule *rule, struct findings *findings)
{
	const char *label = json_string_value(pointer_get(host->config, "/process/selinuxLabel"));

	if (label && *label && access("/sys/fs/selinux/enforce", F_OK) < 0)
		findings_add(findings, rule, "/process/selinuxLabel", "SELinux is off here");
}

static const struct {
	struct rule rule;
	void (*check)(const struct host *host, const struct rule *rule, struct findings *findings);
} checks[] = {
	{ { "root-exists", SEVERITY_ERROR, "config.md#root" }, check_root },
	{ { "program-exists", SEVERITY_WARNING, "config.md#posix-process" }, check_program },
	{ { "mount-source-exists", SEVERITY_ERROR, "config.md#mounts" }, check_sources },
	{ { "mount-type-known", SEVERITY_WARNING, "config.md#posix-platform-mounts" },
	  check_types },
	{ { "hook-executable", SEVERITY_ERROR, "config.md#posix-platform-hooks" }, check_hooks },
	{ { "namespace-exists", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_namespaces },
	{ { "namespace-supported", SEVERITY_ERROR, "config-linux.md#namespaces" }, check_kinds },
	{ { "capability-available", SEVERITY_WARNING, "config.md#linux-process" },
	  check_capabilities },
	{ { "apparmor-available", SEVERITY_ERROR, "config.md#linux-process" }, check_profile },
	{ { "selinux-available", SEVERITY_WARNING, "config.md#linux-process" }, check_label },
};

void rules_check_host(const json_t *config, const char *directory, struct findings *findings)
{
	const char *root = json_string_value(pointer_get(config, "/root/path"));
	struct host host = { config, directory, -1 };
	cleanup_free char *path = root ? absolute(&host, root) : NULL;
	cleanup_fd int root_fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	host.root_fd = root_fd;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i].check(&host, &checks[i].rule, findings);
}

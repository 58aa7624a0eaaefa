/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/selinux.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "oci-gen/known.h"
#include "oci-gen/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CONTEXTS_MAX = 64 << 10, CATEGORIES = 1024, LABEL_MAX = 4096 };

#define ATTRIBUTE "security.selinux"

bool selinux_enabled(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

/* The value of a line KEY = VALUE, or of KEY = "VALUE"; NULL where there is none. The caller frees
 * it. */
static char *find_setting(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line += *line == '\n') {
		const char *at = line + strspn(line, " \t");

		if (strncmp(at, key, length) == 0) {
			at += length;
			at += strspn(at, " \t");
			if (*at == '=') {
				at += 1 + strspn(at + 1, " \t\"");
				return xstrndup(at, strcspn(at, " \t\"\n"));
			}
		}
		line += strcspn(line, "\n");
	}
	return NULL;
}

static char *read_text(const char *path)
{
	struct error unused;
	size_t length;

	return file_read_at(AT_FDCWD, path, CONTEXTS_MAX, &length, &unused);
}

/* What the policy says for containers, or what all policies that know them say. */
static char *policy_label(const char *key, const char *otherwise)
{
	cleanup_free char *config = read_text("/etc/selinux/config");
	cleanup_free char *type = config ? find_setting(config, "SELINUXTYPE") : NULL;
	cleanup_free char *path =
		xasprintf("/etc/selinux/%s/contexts/lxc_contexts", type ? type : "targeted");
	cleanup_free char *contexts = read_text(path);
	char *label = contexts ? find_setting(contexts, key) : NULL;

	return label ? label : xstrdup(otherwise);
}

/* Two different categories, the smaller first, by a hash of the text (FNV-1a). */
static char *level_of(const char *pod)
{
	uint32_t hash = 2166136261u;

	for (const unsigned char *c = (const unsigned char *)pod; *c; c++)
		hash = (hash ^ *c) * 16777619u;

	uint32_t first = hash % CATEGORIES;
	uint32_t second = (first + 1 + hash / CATEGORIES % (CATEGORIES - 1)) % CATEGORIES;
	return first < second ? xasprintf("s0:c%u,c%u", first, second)
			      : xasprintf("s0:c%u,c%u", second, first);
}

/* The label with parts of it replaced, where they are not NULL. */
static char *compose(const char *label, const char *const parts[4])
{
	cleanup_free char *copy = xstrdup(label);
	const char *own[4];
	char *rest = copy;

	for (int i = 0; i < 4; i++) {
		char *end = rest + strcspn(rest, ":");

		own[i] = rest;
		/* the level, the last, has colons of its own */
		if (i == 3 || !*end)
			end = rest + strlen(rest);
		rest = *end ? end + 1 : end;
		*end = '\0';
	}
	return xasprintf("%s:%s:%s:%s", parts[0] ? parts[0] : own[0], parts[1] ? parts[1] : own[1],
			 parts[2] ? parts[2] : own[2], parts[3] ? parts[3] : own[3]);
}

void selinux_labels(const json_t *options, const char *pod, bool privileged, char **process,
		    char **file)
{
	cleanup_free char *process_policy =
		policy_label("process", "system_u:system_r:container_t:s0");
	cleanup_free char *file_policy =
		policy_label("file", "system_u:object_r:container_file_t:s0");
	cleanup_free char *own_level = privileged ? xstrdup("s0") : level_of(pod);
	const char *level = json_text(options, "level", own_level);
	const char *const process_parts[] = {
		json_text(options, "user", NULL),
		json_text(options, "role", NULL),
		json_text(options, "type", privileged ? "spc_t" : NULL),
		level,
	};
	const char *const file_parts[] = { NULL, NULL, NULL, level };

	*process = compose(process_policy, process_parts);
	*file = compose(file_policy, file_parts);
}

/* Directories that other programs of the host live in. */
static bool is_hosts_own(const char *path)
{
	static const char *const own[] = { "/",	       "/bin",	   "/boot",  "/dev",   "/etc",
					   "/home",    "/lib",	   "/lib64", "/media", "/mnt",
					   "/opt",     "/proc",	   "/root",  "/run",   "/sbin",
					   "/srv",     "/sys",	   "/tmp",   "/usr",   "/var",
					   "/var/lib", "/var/log", NULL };

	return known_in(own, path);
}

static bool has_label(const char *path, const char *label)
{
	char found[LABEL_MAX];
	ssize_t length = lgetxattr(path, ATTRIBUTE, found, sizeof found - 1);

	if (length < 0)
		return false;
	found[length] = '\0';
	return strcmp(found, label) == 0;
}

static int set_label(const FTSENT *entry, const char *label, struct error *err)
{
	/* some file systems have one label for all */
	if (lsetxattr(entry->fts_accpath, ATTRIBUTE, label, strlen(label) + 1, 0) == 0 ||
	    errno == ENOTSUP)
		return 0;
	return error_os(err, "cannot label %s", entry->fts_path);
}

int selinux_relabel(const char *path, const char *label, struct error *err)
{
	cleanup_free char *real = realpath(path, NULL);
	FTSENT *entry;
	int status;

	if (!real)
		return error_os(err, "%s", path);
	if (is_hosts_own(real))
		return error_set(err, ERROR_DENIED, "%s is the host's own: it is not relabelled",
				 real);
	if (has_label(real, label))
		return 0;
	FTS *tree = walk_open(real, FTS_XDEV, err);
	if (!tree)
		return -1;
	/* a directory last, so that its label says that the rest is done */
	while ((status = walk_next(tree, &entry, err)) > 0)
		if (entry->fts_info != FTS_D && entry->fts_info != FTS_NS &&
		    set_label(entry, label, err) < 0)
			break;
	fts_close(tree);
	return status > 0 ? -1 : status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Options about mounts, namespaces and what else only Linux has. */
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "oci-gen/capabilities.h"
#include "oci-gen/generation.h"
#include "oci-gen/known.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"
#include "oci-gen/template.h"
#include "oci-gen/volumes.h"

#include <fcntl.h>
#include <linux/oom.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int set_privileged(const struct setting *s)
{
	template_privileged(s->g->config);
	pointer_remove(s->g->config, "/process/apparmorProfile");
	s->g->seccomp = "unconfined";
	return capabilities_add(&s->g->capabilities, ORDINARY_SETS, "ALL", s->err);
}

static int add_parsed(struct generation *g, json_t *mount)
{
	if (!mount)
		return -1;
	json_array_append_new(g->mounts, mount);
	return 0;
}

int add_bind(const struct setting *s)
{
	return add_parsed(s->g, mount_parse_bind(s->value, s->err));
}

int add_tmpfs(const struct setting *s)
{
	return add_parsed(s->g, mount_parse_tmpfs(s->value, s->err));
}

int add_mount(const struct setting *s)
{
	bool windows = pointer_get(s->g->config, "/windows");

	return add_parsed(s->g, mount_parse_json(s->value, windows, s->err));
}

int set_image_volumes(const struct setting *s)
{
	s->g->volumes_mode = s->value;
	return 0;
}

int remove_mount(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	mounts_remove(pointer_array(s->g->config, s->rule->pointer), s->value);
	return 0;
}

int remove_all_mounts(const struct setting *s)
{
	pointer_set(s->g->config, s->rule->pointer, json_array());
	return 0;
}

/* Take the namespace of a type out of the list. */
static void drop_namespace(json_t *namespaces, const char *type)
{
	for (size_t i = json_array_size(namespaces); i-- > 0;)
		if (strcmp(json_text(json_array_get(namespaces, i), "type", ""), type) == 0)
			json_array_remove(namespaces, i);
}

static const char *namespace_type(const char *name, struct error *err)
{
	const char *type = known_namespace_type(name);

	if (!type)
		error_set(err, ERROR_USAGE, "\"%s\" is not a type of namespace", name);
	return type;
}

int remove_namespace(const struct setting *s)
{
	const char *type = namespace_type(s->value, s->err);

	if (!type)
		return -1;
	drop_namespace(pointer_array(s->g->config, s->rule->pointer), type);
	return 0;
}

int add_namespace(const struct setting *s)
{
	const char *path = strchr(s->value, ':');
	cleanup_free char *name =
		path ? xstrndup(s->value, (size_t)(path - s->value)) : xstrdup(s->value);
	const char *type = namespace_type(name, s->err);

	if (!type)
		return -1;
	if (path && path[1] != '/')
		return error_set(s->err, ERROR_USAGE, "\"%s\": the path must be absolute",
				 s->value);

	json_t *namespaces = pointer_array(s->g->config, s->rule->pointer);
	drop_namespace(namespaces, type);
	json_array_append_new(namespaces,
			      path ? json_pack("{s:s, s:s}", "type", type, "path", path + 1)
				   : json_pack("{s:s}", "type", type));
	return 0;
}

/* What takes a namespace adds one of its own where there is none. */
static void need_namespace(struct generation *g, const char *type)
{
	json_t *namespaces = pointer_array(g->config, "/linux/namespaces");

	if (setting_find(namespaces, "type", type) == json_array_size(namespaces))
		json_array_append_new(namespaces, json_pack("{s:s}", "type", type));
}

int add_mapping(const struct setting *s)
{
	long long ids[3];

	if (setting_numbers(s, s->value, ids, 3) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (ids[i] < 0 || ids[i] > UINT32_MAX)
			return setting_malformed(s);
	need_namespace(s->g, "user");
	json_array_append_new(pointer_array(s->g->config, s->rule->pointer),
			      json_pack("{s:I, s:I, s:I}", "hostID", (json_int_t)ids[0],
					"containerID", (json_int_t)ids[1], "size",
					(json_int_t)ids[2]));
	return 0;
}

int set_time_offset(const struct setting *s)
{
	size_t length = strcspn(s->value, ":");
	cleanup_free char *clock = xstrndup(s->value, length);
	const char *numbers = s->value + length + (s->value[length] == ':');
	bool fraction = strchr(numbers, ':');
	long long offset[2] = { 0, 0 };

	if (strcmp(clock, "monotonic") != 0 && strcmp(clock, "boottime") != 0)
		return setting_malformed(s);
	if (setting_numbers(s, numbers, offset, fraction ? 2 : 1) < 0)
		return -1;
	if (offset[1] < s->rule->min || offset[1] > s->rule->max)
		return setting_malformed(s);
	need_namespace(s->g, "time");
	json_object_set_new(pointer_object(s->g->config, s->rule->pointer), clock,
			    json_pack("{s:I, s:I}", "secs", (json_int_t)offset[0], "nanosecs",
				      (json_int_t)offset[1]));
	return 0;
}

int set_net_device(const struct setting *s)
{
	size_t length = strcspn(s->value, ":");
	cleanup_free char *interface = xstrndup(s->value, length);
	const char *name = s->value[length] ? s->value + length + 1 : NULL;
	json_t *device = json_object();

	if (name && *name)
		json_object_set_new(device, "name", json_string(name));
	json_object_set_new(pointer_object(s->g->config, s->rule->pointer), interface, device);
	return *interface && (!name || *name) ? 0 : setting_malformed(s);
}

/* Lowering the value takes CAP_SYS_RESOURCE in the first user namespace, which not every host
 * leaves even to root; a runtime that may not lower it dies without a word. Whether we may, only
 * the attempt tells, and we are not here for long. */
static bool may_set_oom_score_adj(const char *value)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, value, strlen(value)) > 0;
}

void setting_oom_score_adj(struct generation *g, long long value, const char *what)
{
	size_t length;
	struct error unused;
	cleanup_free char *text =
		file_read_at(AT_FDCWD, "/proc/self/oom_score_adj", 64, &length, &unused);
	cleanup_free char *wanted = xasprintf("%lld", value);
	long current = text ? strtol(text, NULL, 10) : OOM_SCORE_ADJ_MIN;

	if (value < current && !may_set_oom_score_adj(wanted)) {
		log_message(LOG_LEVEL_WARN,
			    "%s: %lld is lower than our own, which takes CAP_SYS_RESOURCE: %ld is "
			    "used",
			    what, value, current);
		value = current;
	}
	pointer_set(g->config, "/process/oomScoreAdj", json_integer(value));
}

/* No limit is none in the configuration: crun gives -1 to the kernel, which takes only "max". */
int set_pids_limit(const struct setting *s)
{
	if (set_number(s) < 0)
		return -1;
	if (json_integer_value(pointer_get(s->g->config, s->rule->pointer)) < 0)
		pointer_remove(s->g->config, "/linux/resources/pids");
	return 0;
}

int set_oom_score_adj(const struct setting *s)
{
	cleanup_free char *what = xasprintf("--%s", s->rule->option.name);

	if (set_number(s) < 0)
		return -1;
	setting_oom_score_adj(s->g, strtoll(s->value, NULL, 10), what);
	return 0;
}

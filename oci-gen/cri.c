/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/cri.h"

#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/image.h"
#include "oci-gen/network.h"
#include "oci-gen/pointer.h"
#include "oci-gen/setters.h"
#include "oci-gen/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { CGROUP_FILE_MAX = 1 << 16, GRACE_DIGITS = 8 };

/* command stands for the image's entrypoint and its command, args for its command only. */
static void apply_command(struct generation *g, const json_t *container)
{
	json_t *command = json_object_get(container, "command");
	json_t *args = json_object_get(container, "args");

	if (command) {
		json_decref(g->entrypoint);
		g->entrypoint = json_incref(command);
	}
	if (command || args) {
		json_decref(g->command);
		g->command = args ? json_incref(args) : json_array();
	}
}

const char *cri_hostname(const json_t *pod)
{
	static struct utsname host;
	const char *hostname = json_text(pod, "hostname", NULL);

	if (hostname || uname(&host) < 0)
		return hostname ? hostname : "localhost";
	return host.nodename;
}

static int apply_environment(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!json_object_get(g->environment, "HOSTNAME")) {
		cleanup_free char *assignment =
			xasprintf("HOSTNAME=%s", cri_hostname(json_object_get(cri, "pod")));

		generation_set_env(g, assignment);
	}
	json_array_foreach (json_path(cri, "container", "envs", NULL), i, item) {
		const char *key = json_text(item, "key", "");
		cleanup_free char *assignment =
			xasprintf("%s=%s", key, json_text(item, "value", ""));

		if (!*key || strchr(key, '='))
			return error_set(err, ERROR_INTEGRITY,
					 "the document's cri.container.envs[%zu].key is not the "
					 "name of a variable",
					 i);
		generation_set_env(g, assignment);
	}
	return 0;
}

static void apply_annotations(struct generation *g, const json_t *config)
{
	json_t *annotations = pointer_object(g->config, "/annotations"), *value;
	const char *key;

	json_object_foreach (json_object_get(config, "annotations"), key, value) {
		if (image_annotation_is_order(key))
			log_message(LOG_LEVEL_WARN,
				    "the annotation \"%s\" would control the runtime: left "
				    "out (--annotation sets it)",
				    key);
		else if (*key)
			json_object_set(annotations, key, value);
	}
}

/* "SIGNAL_SIGRTMINPLUS1" is SIGRTMIN+1 elsewhere. */
static int apply_stop_signal(struct generation *g, const json_t *container, struct error *err)
{
	static const char prefix[] = "SIGNAL_SIG";
	const char *text = json_text(container, "stopSignal", "SIGNAL_RUNTIME_DEFAULT");
	const char *plus = strstr(text, "PLUS"), *minus = strstr(text, "MINUS");

	if (strcmp(text, "SIGNAL_RUNTIME_DEFAULT") == 0)
		return 0;
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return error_set(err, ERROR_INTEGRITY,
				 "the document's cri.container.stopSignal is not a Signal of CRI");

	const char *bare = text + strlen("SIGNAL_");
	const char *sign = plus ? plus : minus;
	cleanup_free char *name =
		sign ? xasprintf("%.*s%c%s", (int)(sign - bare), bare, plus ? '+' : '-',
				 sign + strlen(plus ? "PLUS" : "MINUS"))
		     : xstrdup(bare);
	json_object_set_new(pointer_object(g->config, "/annotations"),
			    "org.opencontainers.image.stopSignal", json_string(name));
	return 0;
}

static bool file_has(const char *path, const char *text)
{
	struct error ignored;
	size_t length;
	cleanup_free char *content =
		file_read_at(AT_FDCWD, path, CGROUP_FILE_MAX, &length, &ignored);

	return content && strstr(content, text);
}

/* A kubelet names every size that the machine has, with 0 for those that the container does not
 * ask for. Where no cgroup counts huge pages, runtimes refuse that too. */
static void apply_huge_pages(struct generation *g, const json_t *limits)
{
	const json_t *limit;
	size_t i;
	bool counted = file_has("/proc/self/cgroup", "hugetlb") ||
		       file_has("/sys/fs/cgroup/cgroup.controllers", "hugetlb");

	json_array_foreach (limits, i, limit) {
		json_int_t bytes = cri_number(limit, "limit");

		if (bytes == 0 && !counted)
			continue;
		json_array_append_new(pointer_array(g->config, "/linux/resources/hugepageLimits"),
				      json_pack("{s:s, s:I}", "pageSize",
						json_text(limit, "pageSize", ""), "limit", bytes));
	}
}

/* A limit that is 0 is not set; but what may have no more memory does not get swap for it. */
static void apply_resources(struct generation *g, const json_t *resources)
{
	static const struct {
		const char *key, *pointer;
	} members[] = {
		{ "cpuPeriod", "/linux/resources/cpu/period" },
		{ "cpuQuota", "/linux/resources/cpu/quota" },
		{ "cpuShares", "/linux/resources/cpu/shares" },
		{ "cpusetCpus", "/linux/resources/cpu/cpus" },
		{ "cpusetMems", "/linux/resources/cpu/mems" },
		{ "memoryLimitInBytes", "/linux/resources/memory/limit" },
		{ "memorySwapLimitInBytes", "/linux/resources/memory/swap" },
		{ "unified", "/linux/resources/unified" },
	};

	if (!resources)
		return;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *value = json_object_get(resources, members[i].key);

		if (value)
			pointer_set(g->config, members[i].pointer, json_incref(value));
	}
	json_t *limit = json_object_get(resources, "memoryLimitInBytes");
	if (limit && !json_object_get(resources, "memorySwapLimitInBytes") && cgroup_limits_swap())
		pointer_set(g->config, "/linux/resources/memory/swap", json_incref(limit));
	apply_huge_pages(g, json_object_get(resources, "hugepageLimits"));
}

/* How long systemd lets the container end when the machine goes down: as long as the kubelet lets
 * the pod, where that says so. Else it would be as long as for any unit. */
static void apply_grace(struct generation *g, const json_t *cri)
{
	const char *text = json_text(json_path(cri, "container", "annotations", NULL),
				     "io.kubernetes.pod.terminationGracePeriod", "");
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > GRACE_DIGITS || text[digits])
		return;

	long seconds = strtol(text, NULL, 10);
	/* 0 would be no limit */
	cleanup_free char *value = xasprintf("uint64 %ld000000", seconds > 0 ? seconds : 1);
	json_object_set_new(pointer_object(g->config, "/annotations"),
			    "org.systemd.property.TimeoutStopUSec", json_string(value));
}

/* A parent that is a slice is systemd's: "SLICE:PREFIX:NAME", as the runtime then takes it. */
static void apply_cgroup(struct generation *g, const json_t *cri, const char *id)
{
	static const char suffix[] = ".slice";
	const char *parent =
		json_string_value(json_path(cri, "pod", "linux", "cgroupParent", NULL));
	const char *slash = parent ? strrchr(parent, '/') : NULL;
	size_t length = parent ? strlen(parent) : 0;

	if (!parent)
		return;

	bool slice =
		length > strlen(suffix) && strcmp(parent + length - strlen(suffix), suffix) == 0;
	cleanup_free char *path = slice ? xasprintf("%s:ocid:%s", slash ? slash + 1 : parent, id)
					: xasprintf("%s/%s", parent, id);
	pointer_set(g->config, "/linux/cgroupsPath", json_string(path));
	if (slice)
		apply_grace(g, cri);
}

static int apply_container(struct generation *g, const json_t *cri, struct error *err)
{
	const json_t *container = json_object_get(cri, "container");
	const json_t *resources = json_path(container, "linux", "resources", NULL);
	const char *directory = json_text(container, "workingDir", NULL);

	if (directory)
		pointer_set(g->config, "/process/cwd", json_string(directory));
	if (json_flag(container, "tty"))
		pointer_set(g->config, "/process/terminal", json_true());
	apply_command(g, container);
	apply_annotations(g, container);
	apply_resources(g, resources);
	/* 0 where it is not told: else it would be that of the server, which nothing should kill */
	setting_oom_score_adj(g, cri_number(resources, "oomScoreAdj"),
			      "cri.container.linux.resources.oomScoreAdj");
	if (apply_environment(g, cri, err) < 0)
		return -1;
	return apply_stop_signal(g, container, err);
}

/* What the pod says of itself and of each container. */
static void apply_pod(struct generation *g, const json_t *cri, const char *id)
{
	const char *hostname = json_text(json_object_get(cri, "pod"), "hostname", NULL);
	json_t *sysctls = json_path(cri, "pod", "linux", "sysctls", NULL);

	if (hostname)
		pointer_set(g->config, "/hostname", json_string(hostname));
	if (sysctls)
		pointer_set(g->config, "/linux/sysctl", json_incref(sysctls));
	apply_cgroup(g, cri, id);
}

int cri_apply(struct generation *g, json_t *cri, const char *id, const char *bundle, bool network,
	      struct error *err)
{
	static const char *const required[] = { "pod", "container" };

	json_decref(g->cri);
	g->cri = cri;
	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		if (!json_object_get(cri, required[i]))
			return error_set(err, ERROR_INTEGRITY, "the document's cri lacks \"%s\"",
					 required[i]);
	if (bundle && !network)
		network_bind_files(g, bundle);
	apply_pod(g, cri, id);
	trace_stage(g, "cri.pod");
	if (apply_container(g, cri, err) < 0 || cri_apply_namespaces(g, cri, network, err) < 0 ||
	    cri_apply_security(g, cri, err) < 0 || cri_apply_mounts(g, cri, err) < 0 ||
	    cri_apply_devices(g, cri, err) < 0)
		return -1;
	trace_stage(g, "cri.container");
	return 0;
}

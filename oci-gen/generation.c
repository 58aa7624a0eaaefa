/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/generation.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/version.h"
#include "oci-gen/findings.h"
#include "oci-gen/mounts.h"
#include "oci-gen/pointer.h"
#include "oci-gen/seccomp_names.h"
#include "oci-gen/template.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void generation_start(struct generation *g)
{
	*g = (struct generation){
		.config = template_config(),
		.environment = json_object(),
		.command = json_pack("[s]", "sh"),
		.mounts = json_array(),
		.seccomp = "default",
		.seccomp_edits = json_array(),
		.faults = json_array(),
		.cdi_devices = json_array(),
	};
	for (int i = 0; i < CAPABILITY_SETS; i++)
		if (ORDINARY_SETS >> i & 1)
			g->capabilities.sets[i].otherwise = template_capabilities();
	generation_set_env(g, DEFAULT_PATH);
}

/* A member of the wrong type would be taken for another. */
static int check_types(const json_t *config, const char *path, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	json_t *row;
	size_t i;

	structure_check(config, &findings);
	json_array_foreach (findings.rows, i, row) {
		const char *pointer = json_text(row, "pointer", "");

		if (strcmp(json_text(row, "rule", ""), "type") == 0)
			return error_set(err, ERROR_INTEGRITY, "%s: %s %s", path,
					 pointer[0] ? pointer : "the configuration",
					 json_text(row, "message", ""));
	}
	return 0;
}

void generation_note_faults(struct generation *g, const json_t *config)
{
	cleanup_findings struct findings findings = { 0 };

	structure_check(config, &findings);
	rules_check(config, g->platform, &findings);
	json_array_extend(g->faults, findings.rows);
}

/* The same rule in the same words; its place may be another by now. */
static bool is_known_fault(const struct generation *g, const json_t *row)
{
	const json_t *fault;
	size_t i;

	json_array_foreach (g->faults, i, fault) {
		if (strcmp(json_text(fault, "rule", ""), json_text(row, "rule", "")) == 0 &&
		    strcmp(json_text(fault, "message", ""), json_text(row, "message", "")) == 0)
			return true;
	}
	return false;
}

int generation_set_template(struct generation *g, json_t *config, const char *path,
			    struct error *err)
{
	const json_t *variable;
	json_t *args;
	size_t i;

	json_decref(g->config);
	g->config = config;
	g->from_template = true;
	if (check_types(config, path, err) < 0)
		return -1;
	if (!json_object_get(config, "ociVersion"))
		pointer_set(config, "/ociVersion", json_string(OCI_RUNTIME_SPEC_VERSION));
	json_object_clear(g->environment);
	json_array_foreach (pointer_get(config, "/process/env"), i, variable) {
		generation_set_env(g, json_string_value(variable));
	}
	pointer_remove(config, "/process/env");
	args = pointer_get(config, "/process/args");
	json_decref(g->command);
	g->command = args ? json_incref(args) : json_array();
	capabilities_read(&g->capabilities, pointer_get(config, "/process/capabilities"));
	g->seccomp = NULL;
	return 0;
}

void generation_free(struct generation *g)
{
	json_decref(g->config);
	json_decref(g->environment);
	json_decref(g->entrypoint);
	json_decref(g->command);
	json_decref(g->mounts);
	json_decref(g->seccomp_edits);
	strings_free(&g->seccomp_lists);
	json_decref(g->volumes);
	json_decref(g->cdi_devices);
	json_decref(g->cdi_directories);
	json_decref(g->faults);
	json_decref(g->cri);
	free(g->user);
}

int generation_check_text(const char *text, const char *what, struct error *err)
{
	json_auto_t *json = json_string(text);

	return json ? 0 : error_set(err, ERROR_USAGE, "%s is not UTF-8, which JSON needs", what);
}

void generation_set_env(struct generation *g, const char *assignment)
{
	cleanup_free char *name = xstrndup(assignment, strcspn(assignment, "="));

	json_object_set_new(g->environment, name, json_string(assignment));
}

void generation_put_mount(struct generation *g, json_t *mount)
{
	mounts_put(pointer_array(g->config, "/mounts"), mount);
	g->mounts_added = true;
}

char *generation_root(const struct generation *g)
{
	const char *path = json_string_value(pointer_get(g->config, "/root/path"));

	if (!path)
		return NULL;
	return *path == '/' || !g->root_from ? xstrdup(path)
					     : xasprintf("%s/%s", g->root_from, path);
}

int generation_check(const struct generation *g, struct error *err)
{
	cleanup_findings struct findings findings = { 0 };
	json_t *row;
	size_t i;

	structure_check(g->config, &findings);
	rules_check(g->config, g->platform, &findings);
	json_array_foreach (findings.rows, i, row) {
		if (strcmp(json_text(row, "severity", ""), "error") != 0)
			continue;
		error_set(err, is_known_fault(g, row) ? ERROR_INTEGRITY : ERROR_USAGE,
			  "the configuration would be wrong at %s: %s",
			  json_text(row, "pointer", ""), json_text(row, "message", ""));
		return error_hint(err, "runtime-spec %s", json_text(row, "spec", ""));
	}
	return 0;
}

/* The id outside that is 0 inside by the mappings there, or 0. */
static uint32_t host_id(const struct generation *g, const char *pointer)
{
	const json_t *mapping;
	size_t i;

	json_array_foreach (pointer_get(g->config, pointer), i, mapping) {
		if (json_integer_value(json_object_get(mapping, "containerID")) == 0)
			return (uint32_t)json_integer_value(json_object_get(mapping, "hostID"));
	}
	return 0;
}

int generation_give(const struct generation *g, int bundle_fd, const char *name, struct error *err)
{
	uid_t uid = host_id(g, "/linux/uidMappings");
	gid_t gid = host_id(g, "/linux/gidMappings");

	if ((uid || gid) && fchownat(bundle_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_os(err, "cannot give %s to the container's root", name);
	return 0;
}

json_t *generation_config(struct generation *g)
{
	seccomp_names_restore(pointer_get(g->config, "/linux/seccomp"), &g->seccomp_lists);
	return g->config;
}

char *generation_text(const struct generation *g)
{
	const json_t *filter = pointer_get(g->config, "/linux/seccomp");

	if (!filter)
		return json_compact(g->config);

	cleanup_free char *filter_text = seccomp_names_text(filter, &g->seccomp_lists);
	cleanup_free char *linux_text =
		json_compact_with(json_object_get(g->config, "linux"), "seccomp", filter_text);
	return json_compact_with(g->config, "linux", linux_text);
}

int generation_patch(struct generation *g, const json_t *patch, struct error *err)
{
	if (!json_is_object(patch))
		return error_set(err, ERROR_INTEGRITY, "the patch is not a JSON object");

	generation_note_faults(g, patch);
	json_t *merged = json_merge_patch(generation_config(g), patch);
	json_decref(g->config);
	g->config = merged;
	return 0;
}

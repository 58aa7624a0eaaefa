/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/memory_file.h"
#include "lib/output.h"
#include "lib/store.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/runtime.h"

#include <string.h>
#include <unistd.h>

/* Members of LinuxResources (runtime-spec, config-linux.md) that can change while it runs. */
static bool is_changeable(const char *key)
{
	static const char *const keys[] = { "blockIO", "cpu",  "hugepageLimits",
					    "memory",  "pids", "unified" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* A null says nothing; runtimes take it for an object and crash. */
static void drop_nulls(json_t *object)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (object, next, key, value) {
		if (json_is_null(value))
			json_object_del(object, key);
		else if (json_is_object(value))
			drop_nulls(value);
	}
}

static json_t *read_resources(struct error *err)
{
	json_auto_t *resources = json_read_fd(STDIN_FILENO, JSON_CONFIG_MAX, "the resources", err);
	const char *key;
	json_t *value;

	if (resources && !json_is_object(resources))
		error_set(err, ERROR_INTEGRITY, "the resources are not a JSON object");
	if (!json_is_object(resources)) {
		error_hint(err, "linux.resources of the runtime specification, on standard input");
		return NULL;
	}
	drop_nulls(resources);
	json_object_foreach (resources, key, value) {
		bool is_list = strcmp(key, "hugepageLimits") == 0;

		if (!is_changeable(key)) {
			error_set(err, ERROR_UNSUPPORTED,
				  "\"%s\" cannot be changed in a container that is there", key);
			return NULL;
		}
		if (is_list ? !json_is_array(value) : !json_is_object(value)) {
			error_set(err, ERROR_INTEGRITY, "the resources' \"%s\" is not %s", key,
				  is_list ? "an array" : "an object");
			return NULL;
		}
	}
	return json_incref(resources);
}

static int run_update(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };

	if (container_check_id(cli->operands[0], err) < 0)
		return -1;
	if (isatty(STDIN_FILENO))
		return cli_usage(cli, err, "the resources are read from standard input");
	json_auto_t *resources = read_resources(err);
	if (!resources || store_open(cli, &store, err) < 0)
		return -1;

	cleanup_container struct container container = { .dir_fd = -1 };
	cleanup_fd int lock = find_container_locked(&store, cli->operands[0], &container, err);
	if (lock < 0)
		return -1;
	if (container_status(&container) == CONTAINER_STOPPED)
		return error_set(err, ERROR_NOT_FOUND, "container \"%s\" has stopped",
				 container.id);

	cleanup_free char *text = json_compact(resources);
	cleanup_fd int file = memory_file("resources", text, err);
	/* the runtime opens it while we are there to hold it */
	cleanup_free char *path = xasprintf("/proc/%d/fd/%d", (int)getpid(), file);
	const char *const words[] = { "update", "--resources", path, container.id, NULL };
	if (file < 0 || runtime_run(&store, container.facts, lock, words, NULL, err) < 0)
		return -1;

	json_auto_t *process = container_describe(&container);
	return output_object(cli, process, err);
}

const struct cli_command update_command = {
	.name = "update",
	.operands = "ID",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "change the resource limits of a container",
	.details =
		"Reads linux.resources of the OCI runtime specification from standard input; what\n"
		"is not given stays unchanged.",
	.run = run_update,
};

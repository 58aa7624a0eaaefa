/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/failures.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/store.h"
#include "ocid-shim/cgroups.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/container.h"
#include "ocid-shim/find.h"
#include "ocid-shim/kill.h"
#include "ocid-shim/log_set.h"
#include "ocid-shim/remains.h"
#include "ocid-shim/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum { END_MS = 10000 };

struct rm_settings {
	bool force;
};

/* Its directory may be there without a state.json, and what the runtime keeps without either:
 * nobody's container, to be cleared all the same. */
static int remove_remains(const struct store *store, const char *id, int lock, struct error *err)
{
	struct error ignored;
	cleanup_free char *runtime = runtime_find("runc", &ignored);
	json_auto_t *facts = json_pack("{s:s*}", "runtime", runtime);

	if (!remains_exist(store, id))
		return -1;
	return remains_clear(store, id, facts, lock, err);
}

/* Kill it; frozen processes die when they thaw. Whether that was enough shows when the runtime
 * deletes it; a runtime that has to kill for itself polls for the end and takes much longer. */
static int end(const struct store *store, const struct container *container, int lock,
	       struct error *err)
{
	bool paused = container_status(container) == CONTAINER_PAUSED;
	struct error ignored;

	if (kill_container(store, container, lock, SIGKILL, RUNTIME_KILL_MS, &ignored) < 0)
		return 0;
	if (paused)
		cgroups_thaw(json_object_get(container->facts, "cgroups"));
	return container_await_process(container, END_MS, err);
}

static int remove_log(const struct container *container, struct error *err)
{
	const char *path = json_text(container->facts, "logPath", NULL);

	/* a log that the caller named stays the caller's */
	if (!path || !json_flag(container->facts, "ownsLog"))
		return 0;
	if (json_flag(container->facts, "logRotates"))
		log_set_remove_old(path);
	return unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR
		       ? error_os(err, "log %s", path)
		       : 0;
}

/* Have the runtime delete it, or where that is gone do what we can. */
static int delete_container(const struct store *store, const struct container *container, int lock,
			    struct error *err)
{
	const json_t *facts = container->facts;
	const json_t *cgroups = json_object_get(facts, "cgroups");

	if (runtime_delete(store, container->id, facts, lock, err) == 0)
		return 0;
	if (runtime_is_there(facts) || container_await_process(container, 0, err) != 0)
		return -1;
	/* elsewhere the end of the first process is that of all */
	if (json_flag(facts, "sharesPids"))
		cgroups_kill(cgroups);
	cgroups_remove_below(cgroups);
	return runtime_forget(store, container->id, facts, err);
}

static int remove_container(const struct store *store, const struct container *container, int lock,
			    struct error *err)
{
	if (container_status(container) != CONTAINER_STOPPED &&
	    end(store, container, lock, err) < 0)
		return -1;
	if (delete_container(store, container, lock, err) < 0 || remove_log(container, err) < 0)
		return -1;
	cgroups_remove(json_object_get(container->facts, "cgroups"));
	return container_remove(store, container, err);
}

static int remove_one(const struct cli *cli, const struct store *store, const char *text,
		      struct error *err)
{
	const struct rm_settings *settings = cli->settings;
	cleanup_free char *id = find_id(store, text, err);
	cleanup_fd int lock =
		id ? lock_take(store->locks_fd, "container", id, LOCK_EXCLUSIVE, true, err) : -1;
	cleanup_container struct container container = { .dir_fd = -1 };
	if (lock < 0)
		return -1;
	if (container_open(store, id, &container, err) < 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		bool removed = remove_remains(store, id, lock, err) == 0;
		lock_discard(store->locks_fd, "container", id);
		return removed || (settings->force && err->kind == ERROR_NOT_FOUND) ? 0 : -1;
	}
	enum container_status status = container_status(&container);
	if (!settings->force && (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)) {
		error_set(err, ERROR_IN_USE, "container \"%s\" is %s", id,
			  container_status_name(status));
		return error_hint(err, "ocid-shim kill it first, or rm --force");
	}
	if (remove_container(store, &container, lock, err) < 0)
		return -1;
	lock_discard(store->locks_fd, "container", id);
	return 0;
}

static int run_rm(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	struct failures failures = { .cli = cli };

	if (store_open(cli, &store, err) < 0)
		return -1;
	for (int i = 0; i < cli->operand_count && failures_go_on(&failures); i++)
		if (remove_one(cli, &store, cli->operands[i], err) < 0)
			failures_add(&failures, err);
	return failures_end(&failures, err);
}

static const struct cli_option options[] = {
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct rm_settings, force),
	  "kill running containers; ignore missing ones" },
	{ 0 },
};

const struct cli_command rm_command = {
	.name = "rm",
	.operands = "ID...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "remove containers that have stopped or never started",
	.details =
		"Also removes the cgroup, the exit record and a log inside the bundle; the bundle\n"
		"stays.",
	.options = options,
	.settings_size = sizeof(struct rm_settings),
	.run = run_rm,
};

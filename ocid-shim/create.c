/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/create.h"

#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/document.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/process.h"
#include "lib/timestamp.h"
#include "ocid-shim/cgroup_stats.h"
#include "ocid-shim/cgroups.h"
#include "ocid-shim/commands.h"
#include "ocid-shim/criu.h"
#include "ocid-shim/launch.h"
#include "ocid-shim/log_file.h"
#include "ocid-shim/remains.h"
#include "ocid-shim/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The place of a container that is being made. Its directory goes with it unless it is kept. */
struct place {
	const struct store *store;
	const struct request *request;
	int busy_fd; /* the container's lock */
	int dir_fd;
	bool keep;
};

/* Those that it is to be in, where they are there already. */
static json_t *wanted_cgroups(const struct request *request)
{
	const json_t *cgroup = json_path(request->config, "linux", "cgroupsPath", NULL);

	return cgroups_named(json_is_string(cgroup) ? json_string_value(cgroup) : "");
}

/* Clear what an attempt has left whose monitor was killed. */
static int place_clear(const struct place *place, struct error *err)
{
	const struct request *request = place->request;
	if (!remains_exist(place->store, request->id))
		return 0;

	json_auto_t *cgroups = wanted_cgroups(request);
	json_auto_t *facts = json_pack("{s:s, s:O, s:O}", "runtime", request->runtime,
				       "runtimeOptions", request->options, "cgroups", cgroups);

	return remains_clear(place->store, request->id, facts, place->busy_fd, err);
}

/* Normally the monitor has removed everything. What is left of one that was killed, and cannot be
 * cleared, stays for `rm` to find. */
static void place_leave(struct place *place)
{
	struct error why;

	if (place->dir_fd >= 0 && !place->keep) {
		int interrupted = cli_interrupt_take();

		if (place_clear(place, &why) < 0)
			log_message(LOG_LEVEL_WARN, "%s", why.message);
		else
			lock_discard(place->store->locks_fd, "container", place->request->id);
		cli_interrupt_put(interrupted);
	}
	cleanup_fd_p(&place->dir_fd);
}

static int place_take(struct place *place, struct error *err)
{
	int parent = place->store->run_containers_fd;
	const char *id = place->request->id;
	cleanup_fd int old = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (old < 0 && errno != ENOENT)
		return error_os(err, "container %s", id);
	if (old >= 0 && container_has_facts(old)) {
		error_set(err, ERROR_EXISTS, "container \"%s\" exists", id);
		error_subject(err, id);
		return error_hint(err, "see ocid-shim rm");
	}
	if (place_clear(place, err) < 0)
		return -1;
	if (mkdirat(parent, id, 0700) < 0)
		return error_os(err, "container %s", id);
	place->dir_fd = path_open_beneath(parent, id, O_RDONLY | O_DIRECTORY, err);
	return place->dir_fd < 0 ? -1 : 0;
}

static json_t *make_facts(const struct request *request, const char *created, pid_t init)
{
	json_t *facts = json_pack("{s:s, s:s, s:s, s:O, s:s*, s:b, s:s, s:s, s:i, s:I}", "id",
				  request->id, "bundle", request->bundle, "runtime",
				  request->runtime, "runtimeOptions", request->options, "logPath",
				  request->log.path, "ownsLog", request->log.owned, "created",
				  created, "ociVersion", request->oci_version, "pid", (int)init,
				  "pidStart", (json_int_t)process_start_time(init));
	json_t *cgroups = cgroups_of(init, request->cgroup_end);

	if (facts)
		json_object_set(facts, "cgroups", cgroups);
	if (facts && strcmp(request->notify_mode, "ignore") != 0)
		json_object_set_new(facts, "sdNotify", json_string(request->notify_mode));
	if (facts && request->shares_pids)
		json_object_set_new(facts, "sharesPids", json_true());
	if (facts && request->log.size_max > 0)
		json_object_set_new(facts, "logRotates", json_true());
	json_decref(cgroups);

	if (facts && json_is_object(request->annotations))
		json_object_set_new(facts, "annotations", json_deep_copy(request->annotations));
	return facts;
}

/* state.json: from here on it is a container for everybody. */
static int publish(const struct request *request, int dir_fd, const char *created,
		   const struct launched *launched, struct container *container, struct error *err)
{
	json_auto_t *facts = make_facts(request, created, launched->init);
	if (!facts)
		return error_set(err, ERROR_INTEGRITY, "a path of the container is not UTF-8");

	cleanup_free char *text = json_compact(facts);
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return error_os(err, "container %s", request->id);
	*container = (struct container){ xstrdup(request->id), fd, json_incref(facts) };
	if (launched->started[0] && container_note_start(container, launched->started, err) < 0)
		return -1;
	return file_replace_volatile_at(dir_fd, "state.json", text, strlen(text), 0600, err);
}

static int write_pid_file(const char *path, pid_t pid, struct error *err)
{
	cleanup_free char *text = xasprintf("%d", (int)pid);

	return path ? file_replace_volatile_at(AT_FDCWD, path, text, strlen(text), 0644, err) : 0;
}

/* Everything that can fail before the container is to stay, so also the printing: a caller that
 * has no document could not find it. */
static int complete(const struct cli *cli, const struct request *request,
		    const struct container *container, bool run, struct error *err)
{
	const struct create_settings *settings = cli->settings;
	pid_t init = (pid_t)json_integer_value(json_object_get(container->facts, "pid"));

	if (write_pid_file(settings->pid_file, init, err) < 0 ||
	    (run && start_announce(container, err) < 0))
		return -1;

	json_auto_t *process = container_describe(container);
	if (document_finish(cli, request->document, "process", process, err) < 0)
		return -1;
	/* as s6 and others have it */
	return settings->ready_fd < 0
		       ? 0
		       : file_write_fd((int)settings->ready_fd, "\n", 1, "--ready-fd", err);
}

/* The log's file, where it has one, and whether it was not there before. */
static int open_log(const struct request *request, int *fd, bool *made, struct error *err)
{
	if (!request->log.path)
		return 0;
	*made = access(request->log.path, F_OK) < 0;
	*fd = log_file_open(request->log.path, err);
	return *fd < 0 ? -1 : 0;
}

/* What of a restore fails here is CRIU's, who says more in a log. */
static int launch_explained(const struct store *store, const struct launch *launch,
			    struct launched *launched, struct error *err)
{
	if (!launch->restore)
		return launch_start(store, launch, launched, err);
	criu_forget(launch->bundle, "restore.log");
	return launch_start(store, launch, launched, err) < 0
		       ? criu_explain(launch->bundle, "restore.log", err)
		       : 0;
}

static int make(const struct cli *cli, const struct store *store, int busy_fd,
		const struct request *request, bool run, struct container *container,
		struct error *err)
{
	const struct create_settings *settings = cli->settings;
	__attribute__((cleanup(place_leave))) struct place place = {
		.store = store, .request = request, .busy_fd = busy_fd, .dir_fd = -1
	};
	bool made_log = false;
	char created[TIMESTAMP_SIZE];

	timestamp_now(created);
	if (place_take(&place, err) < 0)
		return -1;
	cleanup_fd int log_fd = -1;
	if (open_log(request, &log_fd, &made_log, err) < 0)
		return -1;

	json_auto_t *cgroups = wanted_cgroups(request);
	const struct launch launch = { .id = request->id,
				       .bundle = request->bundle,
				       .runtime = request->runtime,
				       .options = request->options,
				       .cgroup_end = request->cgroup_end,
				       .restore = request->restore,
				       .starts = run,
				       .terminal = request->terminal,
				       .no_pivot = settings->no_pivot,
				       .shares_pids = request->shares_pids,
				       .has_input = request->has_input,
				       .input_ends_once = request->input_ends_once,
				       .notifies = strcmp(request->notify_mode, "container") == 0,
				       .exit_command = &request->exit_command,
				       .dir_fd = place.dir_fd,
				       .oom_kills = cgroup_oom_kills(cgroups),
				       .log_fd = log_fd,
				       .log = &request->log,
				       .busy_fd = busy_fd };
	cleanup_launched struct launched launched = { .sync_fd = -1 };
	cleanup_container struct container mine = { .dir_fd = -1 };
	if (launch_explained(store, &launch, &launched, err) < 0 ||
	    publish(request, place.dir_fd, created, &launched, &mine, err) < 0 ||
	    complete(cli, request, &mine, run, err) < 0 || launch_commit(&launched, err) < 0) {
		if (made_log && request->log.owned)
			unlink(request->log.path);
		return -1;
	}
	place.keep = true;
	*container = mine;
	mine = (struct container){ .dir_fd = -1 };
	return 0;
}

int create_container(const struct cli *cli, bool run, struct container *container,
		     struct error *err)
{
	cleanup_request struct request request = { 0 };
	cleanup_store struct store store = { .images_fd = -1 };

	cgroup_expect_move();
	if (request_make(cli, &request, err) < 0 || store_open(cli, &store, err) < 0)
		return -1;

	cleanup_fd int lock =
		lock_take(store.locks_fd, "container", request.id, LOCK_EXCLUSIVE, true, err);
	return lock < 0 ? -1 : make(cli, &store, lock, &request, run, container, err);
}

static int run_create(const struct cli *cli, struct error *err)
{
	cleanup_container struct container container = { .dir_fd = -1 };

	return create_container(cli, false, &container, err);
}

static const struct cli_option options[] = {
	CREATE_OPTIONS,
	{ 0 },
};

static const struct create_settings defaults = CREATE_DEFAULTS;

const struct cli_command create_command = {
	.name = "create",
	.operands = "[ID]",
	.operands_max = 1,
	.summary = "create a container without starting it",
	.details = "Reads a container document from standard input, and prints it with the field\n"
		   "\"process\". With --bundle DIR and an ID, no document is read.",
	.options = options,
	.settings_size = sizeof defaults,
	.defaults = &defaults,
	.run = run_create,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/runtime.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/spawn.h"
#include "lib/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOG_MAX = 1 << 20, DELETE_TRIES = 3, RUN_MS = 20000 };

char *runtime_find(const char *name, struct error *err)
{
	cleanup_free char *found = spawn_find(name);
	char *path = found ? realpath(found, NULL) : NULL;

	if (path)
		return path;
	error_set(err, ERROR_NOT_FOUND, "no OCI runtime \"%s\"", name);
	error_subject(err, name);
	error_hint(err, "install it, or name another with --runtime");
	return NULL;
}

int runtime_log_open(struct error *err)
{
	int fd = memfd_create("runtime-log", MFD_CLOEXEC);

	return fd < 0 ? error_os(err, "memory file for the runtime's log") : fd;
}

void runtime_command(const struct store *store, const char *path, const json_t *options, int log_fd,
		     struct strings *argv)
{
	const json_t *option;
	size_t i;

	strings_add(argv, path);
	strings_add(argv, "--root");
	strings_addf(argv, "%s/runtime", store->runroot);
	strings_add(argv, "--log");
	strings_addf(argv, "/proc/self/fd/%d", log_fd);
	strings_add(argv, "--log-format");
	strings_add(argv, "json");
	json_array_foreach (options, i, option)
		if (json_is_string(option))
			strings_add(argv, json_string_value(option));
}

/* The message of one log line: of its JSON, where it is JSON and an error, or the line itself. */
static char *line_message(const char *line, size_t length)
{
	struct error ignored;
	json_auto_t *entry = json_parse(line, length, "log", &ignored);
	const char *level = json_text(entry, "level", "error");
	const char *message = json_text(entry, "msg", NULL);

	if (!json_is_object(entry))
		return length > 0 && line[0] != '{' ? xstrndup(line, length) : NULL;
	if (!message || strcmp(level, "warning") == 0 || strcmp(level, "info") == 0 ||
	    strcmp(level, "debug") == 0)
		return NULL;
	return xstrdup(message);
}

/* The last line of a message that has several, so that errors stay one line each. */
static char *one_line(char *message)
{
	char *line = spawn_last_line(message);

	free(message);
	return line;
}

char *runtime_error_text(const char *log, const char *said)
{
	size_t end = strlen(log);

	while (end > 0) {
		size_t start = end;

		while (start > 0 && log[start - 1] != '\n')
			start--;
		char *message = line_message(log + start, end - start);
		if (message && message[0])
			return one_line(message);
		free(message);
		end = start > 0 ? start - 1 : 0;
	}
	return spawn_last_line(said);
}

int runtime_failed(const char *path, int log_fd, const char *said, int status, struct error *err)
{
	struct error ignored;
	size_t length;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	lseek(log_fd, 0, SEEK_SET);
	cleanup_free char *log = file_read_fd(log_fd, LOG_MAX, &length, "log", &ignored);
	cleanup_free char *text = runtime_error_text(log ? log : "", said ? said : "");
	if (text[0])
		return error_set(err, ERROR_FAILED, "%s: %s", name, text);
	return error_set(err, ERROR_FAILED, "%s failed with status %d and printed no error", name,
			 status);
}

const char **runtime_environment(bool notifies)
{
	static const char *const prefixes[] = { "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=",
						"NOTIFY_SOCKET=" };
	size_t count = 0, kept = 0, dropped = sizeof prefixes / sizeof *prefixes - notifies;

	while (environ[count])
		count++;
	const char **kept_ones = xcalloc(count + 1, sizeof *kept_ones);
	for (size_t i = 0; i < count; i++) {
		bool keep = true;

		for (size_t j = 0; j < dropped; j++)
			keep = keep && strncmp(environ[i], prefixes[j], strlen(prefixes[j])) != 0;
		if (keep)
			kept_ones[kept++] = environ[i];
	}
	return kept_ones;
}

int runtime_run(const struct store *store, const json_t *facts, int busy_fd,
		const char *const *words, char **output, struct error *err)
{
	return runtime_run_within(store, facts, busy_fd, words, RUN_MS, output, err);
}

int runtime_run_within(const struct store *store, const json_t *facts, int busy_fd,
		       const char *const *words, int timeout_ms, char **output, struct error *err)
{
	const char *path = json_text(facts, "runtime", "runc");
	cleanup_fd int log_fd = runtime_log_open(err);
	cleanup_strings struct strings argv = { 0 };

	if (log_fd < 0)
		return -1;
	runtime_command(store, path, json_object_get(facts, "runtimeOptions"), log_fd, &argv);
	for (; *words; words++)
		strings_add(&argv, *words);

	const int pass[] = { log_fd, busy_fd, -1 };
	cleanup_free const char **environment =
		runtime_environment(strcmp(json_text(facts, "sdNotify", ""), "container") == 0);
	const struct spawn spawn = { .argv = (const char *const *)argv.items,
				     .environment = environment,
				     .pass_fds = pass,
				     .timeout_ms = timeout_ms };
	cleanup_spawn_result struct spawn_result result = { 0 };
	if (spawn_run(&spawn, &result, err) < 0)
		return error_missing_is(err, ERROR_FAILED);
	if (result.status != 0)
		return runtime_failed(path, log_fd, result.err, result.status, err);
	if (output)
		*output = steal_ptr(&result.out);
	return 0;
}

int runtime_delete(const struct store *store, const char *id, const json_t *facts, int busy_fd,
		   struct error *err)
{
	/* --force also when it has stopped: the runtime then forgives that it knows nothing of it,
	 * as after a reboot that kept RUNROOT */
	const char *const words[] = { "delete", "--force", id, NULL };
	struct error why = { .kind = ERROR_FAILED };

	/* the runtime freezes what is left of the container, and fails when that ends meanwhile */
	for (int i = 0; i < DELETE_TRIES && why.kind == ERROR_FAILED; i++)
		if (runtime_run(store, facts, busy_fd, words, NULL, &why) == 0)
			return 0;
	*err = why;
	return -1;
}

bool runtime_is_there(const json_t *facts)
{
	cleanup_free char *found = spawn_find(json_text(facts, "runtime", "runc"));

	return found != NULL;
}

int runtime_forget(const struct store *store, const char *id, const json_t *facts,
		   struct error *err)
{
	cleanup_free char *path = xasprintf("%s/runtime", store->runroot);
	cleanup_fd int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0 && errno != ENOENT)
		return error_os(err, "%s", path);
	if (dir_fd >= 0 && path_remove_tree(dir_fd, id, err) < 0)
		return -1;
	log_message(LOG_LEVEL_WARN, "container %s: removed without its runtime, %s, which is gone",
		    id, json_text(facts, "runtime", "runc"));
	return 0;
}

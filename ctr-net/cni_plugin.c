/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_plugin.h"

#include "ctr-net/cni_result.h"
#include "ctr-net/cni_version.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/spawn.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

enum {
	PLUGIN_OUTPUT_MAX = 1 << 20,
	SIGNAL_STATUS = 128,
	FINISH_MS = 10000,
	ADD_FINISH_MS = 1000 /* who keeps leases writes one meanwhile, which nobody finds by half */
};

char *cni_plugin_find(const char *plugin_path, const char *type, struct error *err)
{
	char *path = spawn_find_in(plugin_path, type);

	if (path)
		return path;
	error_set(err, ERROR_NOT_FOUND, "no CNI plugin \"%s\" in %s", type, plugin_path);
	error_subject(err, type);
	error_hint(err, "install it, or name its directory with --plugin-dir");
	return NULL;
}

static void make_environment(const struct attachment *attachment, const char *command,
			     struct strings *environment)
{
	strings_addf(environment, "PATH=%s", spawn_path());
	strings_addf(environment, "CNI_COMMAND=%s", command);
	strings_addf(environment, "CNI_PATH=%s", attachment->plugin_path);
	if (!attachment->container_id)
		return;
	strings_addf(environment, "CNI_CONTAINERID=%s", attachment->container_id);
	strings_addf(environment, "CNI_NETNS=%s", attachment->netns ? attachment->netns : "");
	strings_addf(environment, "CNI_IFNAME=%s", attachment->ifname);
	strings_addf(environment, "CNI_ARGS=%s", attachment->args ? attachment->args : "");
}

/* The kinds of the well-known codes (SPEC section 5, "Error"). */
static enum error_kind kind_of_code(json_int_t code)
{
	switch (code) {
	case 1: /* incompatible version */
		return ERROR_UNSUPPORTED;
	case 3: /* container unknown */
		return ERROR_NOT_FOUND;
	case 2: /* unsupported field */
	case 6: /* cannot decode */
	case 7: /* invalid configuration */
		return ERROR_INTEGRITY;
	case 11: /* try again later */
	case 50: /* not available */
	case 51:
		return ERROR_TEMPORARY;
	default:
		return ERROR_FAILED;
	}
}

/* What a plugin that failed without an error object left us to say. */
static int silent_failure(const char *type, const struct spawn_result *result, struct error *err)
{
	cleanup_free char *line = spawn_last_line(result->err);
	cleanup_free char *printed = spawn_last_line(result->out);

	if (*line || *printed)
		return error_set(err, ERROR_FAILED, "plugin %s: %s", type, *line ? line : printed);
	if (result->status > SIGNAL_STATUS)
		return error_set(err, ERROR_FAILED, "plugin %s was ended by signal %d", type,
				 result->status - SIGNAL_STATUS);
	return error_set(err, ERROR_FAILED, "plugin %s failed with status %d and printed no error",
			 type, result->status);
}

/* Whether the answer is an error object (SPEC section 5, "Error"), which then is in *err. */
static bool tells_error(const char *type, const json_t *answer, struct error *err)
{
	const char *message = json_text(answer, "msg", ""),
		   *details = json_text(answer, "details", "");
	json_int_t code = json_integer_value(json_object_get(answer, "code"));

	if (!*message && !*details)
		return false;
	error_set(err, kind_of_code(code), "plugin %s: %s%s%s", type, message,
		  *message && *details ? ": " : "", details);
	error_subject(err, type);
	if (code == 1)
		error_hint(err,
			   "the highest of cniVersion and cniVersions must be one that ctr-net "
			   "versions %s prints",
			   type);
	return true;
}

static int plugin_failure(const char *type, const struct spawn_result *result, struct error *err)
{
	struct error ignored;
	json_auto_t *answer = json_parse(result->out, result->out_length, type, &ignored);

	return tells_error(type, answer, err) ? -1 : silent_failure(type, result, err);
}

/* How a plugin is run for a command. */
struct mode {
	const char *type;
	const char *command;
	bool outlives; /* us, where we are killed */
	int grace_ms;  /* what it may still take once we are interrupted */
	const int *pass_fds;
};

/* Run the plugin; its bounded output is in `result` when it ended with status 0. */
static int run(const struct attachment *attachment, const struct mode *mode, const json_t *request,
	       struct spawn_result *result, struct error *err)
{
	const char *type = mode->type;
	cleanup_free char *executable = cni_plugin_find(attachment->plugin_path, type, err);
	cleanup_free char *input = json_compact(request);
	cleanup_strings struct strings environment = { 0 };

	if (!executable)
		return -1;
	if (cli_interrupted())
		return cli_fail_interrupted(err);
	make_environment(attachment, mode->command, &environment);

	const char *const argv[] = { executable, NULL };
	const struct spawn spawn = {
		.argv = argv,
		.environment = (const char *const *)environment.items,
		.input = input,
		.input_length = strlen(input),
		.output_max = PLUGIN_OUTPUT_MAX,
		.timeout_ms = attachment->timeout_ms,
		.death_signal = mode->outlives ? 0 : SIGKILL,
		.grace_ms = mode->grace_ms,
		.pass_fds = mode->pass_fds,
	};
	if (spawn_run(&spawn, result, err) < 0) {
		error_subject(err, type);
		return error_prefix(err, "plugin %s (%s)", type, mode->command);
	}
	if (result->status != 0)
		return plugin_failure(type, result, err);

	cleanup_free char *said = spawn_last_line(result->err);
	if (*said)
		log_message(LOG_LEVEL_DEBUG, "plugin %s: %s", type, said);
	return 0;
}

json_t *cni_plugin_add(const struct attachment *attachment, const json_t *request, int hold_fd,
		       struct error *err)
{
	cleanup_spawn_result struct spawn_result output = { 0 };
	const char *type = json_text(request, "type", "");

	/* an orphan would go on adding while the next command deletes; what it has started itself
	 * is waited for */
	const int pass_fds[] = { hold_fd, -1 };
	const struct mode mode = { type, "ADD", false, ADD_FINISH_MS, pass_fds };
	if (run(attachment, &mode, request, &output, err) < 0)
		return NULL;
	if (cli_interrupted()) {
		cli_fail_interrupted(err);
		return NULL;
	}

	cleanup_free char *what = xasprintf("the result of plugin %s", type);
	json_auto_t *result = json_parse(output.out, output.out_length, what, err);
	/* a script may forget its exit status, but nobody is connected by an error */
	if (!result || (json_object_get(result, "code") && tells_error(type, result, err)))
		return NULL;
	if (!cni_result_is_valid(result)) {
		error_set(err, ERROR_INTEGRITY, "%s is not a CNI result", what);
		return NULL;
	}
	/* some plugins leave it out, some have one version only; the next plugin would not know how
	 * to read the result */
	if (!*json_text(result, "cniVersion", ""))
		json_object_set(result, "cniVersion", json_object_get(request, "cniVersion"));
	if (cni_result_convert(result, json_text(request, "cniVersion", ""), err) < 0) {
		error_prefix(err, "%s", what);
		return NULL;
	}
	return json_incref(result);
}

/* For commands that change nothing, and answer nothing but errors. */
static int ask(const struct attachment *attachment, const char *command, const json_t *request,
	       struct error *err)
{
	cleanup_spawn_result struct spawn_result output = { 0 };
	const struct mode mode = { json_text(request, "type", ""), command, false, 0, NULL };

	return run(attachment, &mode, request, &output, err);
}

int cni_plugin_check(const struct attachment *attachment, const json_t *request, struct error *err)
{
	return ask(attachment, "CHECK", request, err);
}

int cni_plugin_status(const struct attachment *attachment, const json_t *request, struct error *err)
{
	return ask(attachment, "STATUS", request, err);
}

static bool is_text_list(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (!json_is_string(item))
			return false;
	}
	return json_is_array(list);
}

json_t *cni_plugin_versions(const struct attachment *attachment, const char *type,
			    struct error *err)
{
	cleanup_spawn_result struct spawn_result output = { 0 };
	json_auto_t *request = json_pack("{s:s}", "cniVersion", CNI_VERSION_MAX);
	const struct mode mode = { type, "VERSION", false, 0, NULL };

	if (run(attachment, &mode, request, &output, err) < 0)
		return NULL;

	cleanup_free char *what = xasprintf("the versions of plugin %s", type);
	json_auto_t *versions = json_parse(output.out, output.out_length, what, err);
	if (!versions)
		return NULL;
	if (!is_text_list(json_object_get(versions, "supportedVersions"))) {
		error_set(err, ERROR_INTEGRITY, "%s: no list \"supportedVersions\"", what);
		return NULL;
	}
	return json_incref(versions);
}

int cni_plugin_gc(const struct attachment *attachment, const json_t *request, int lock_fd,
		  struct error *err)
{
	cleanup_spawn_result struct spawn_result output = { 0 };
	const int pass_fds[] = { lock_fd, -1 };
	const struct mode mode = { json_text(request, "type", ""), "GC", true, FINISH_MS,
				   pass_fds };

	return run(attachment, &mode, request, &output, err);
}

int cni_plugin_del(const struct attachment *attachment, const char *type, const json_t *request,
		   int lock_fd, struct error *err)
{
	cleanup_spawn_result struct spawn_result output = { 0 };

	/* Cut short, the reference bridge 1.1.1 has removed the address by which alone it finds its
	 * firewall rules. Not so for ADD, where a daemon that a plugin starts would keep the lock:
	 * record_hold(). */
	const int pass_fds[] = { lock_fd, -1 };
	const struct mode mode = { type, "DEL", true, FINISH_MS, pass_fds };

	return run(attachment, &mode, request, &output, err);
}

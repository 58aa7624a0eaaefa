/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/exec_process.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/user.h"
#include "ocid-shim/terminal.h"

#include <fcntl.h>
#include <string.h>

static bool is_utf8(const char *text)
{
	json_auto_t *string = json_string(text);

	return string != NULL;
}

int exec_request_check(const struct cli *cli, const struct exec_request *request, struct error *err)
{
	if (request->cwd && (request->cwd[0] != '/' || !is_utf8(request->cwd)))
		return cli_usage(cli, err, "--cwd: \"%s\" is not an absolute path in UTF-8",
				 request->cwd);
	for (size_t i = 0; i < request->env.count; i++) {
		const char *entry = request->env.items[i];

		if (entry[0] == '=' || !strchr(entry, '=') || !is_utf8(entry))
			return cli_usage(cli, err, "--env: \"%s\" is not NAME=VALUE in UTF-8",
					 entry);
	}
	return 0;
}

/* Add NAME=VALUE, in the place of what has that name. */
static void set_variable(json_t *env, const char *entry)
{
	size_t length = strcspn(entry, "=") + 1, i;
	json_t *old;

	json_array_foreach (env, i, old)
		if (json_is_string(old) && strncmp(json_string_value(old), entry, length) == 0) {
			json_array_set_new(env, i, json_string(entry));
			return;
		}
	json_array_append_new(env, json_string(entry));
}

/* A user by the container's own files, with the groups they say. But for root it has none of the
 * container's capabilities, and never more than those. */
static int set_user(json_t *process, const json_t *facts, const char *text, struct error *err)
{
	json_t *capabilities = json_object_get(process, "capabilities");
	json_t *bounding = json_object_get(capabilities, "bounding");
	cleanup_free char *root =
		xasprintf("/proc/%d/root", (int)json_integer_value(json_object_get(facts, "pid")));
	json_t *user = user_lookup(root, text, err);

	if (!user)
		return -1;
	user_add_primary_group(user);
	bool is_root = json_integer_value(json_object_get(user, "uid")) == 0;
	json_object_set_new(process, "user", user);
	if (!capabilities)
		return 0;
	json_object_set_new(process, "capabilities",
			    is_root ? json_pack("{s:O*, s:O*, s:O*}", "bounding", bounding,
						"effective", bounding, "permitted", bounding)
				    : json_pack("{s:O*}", "bounding", bounding));
	return 0;
}

/* An array of strings; NULL where one is not UTF-8. */
static json_t *to_array(const char *const *words)
{
	json_auto_t *array = json_array();

	for (; *words; words++)
		if (json_array_append_new(array, json_string(*words)) < 0)
			return NULL;
	return json_incref(array);
}

json_t *exec_process(const json_t *facts, const struct exec_request *request,
		     const char *const *args, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/config.json", json_text(facts, "bundle", ""));
	json_auto_t *config = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
	json_t *process; /* borrowed from config */
	struct monitor_size size;

	if (!config || json_require(config, path, err, "{s:o}", "process", &process) < 0)
		return NULL;

	json_t *words = to_array(args);
	if (!words) {
		error_set(err, ERROR_USAGE, "an argument of the command is not UTF-8");
		return NULL;
	}
	json_object_set_new(process, "args", words);
	json_object_set_new(process, "terminal", json_boolean(request->tty));
	json_object_del(process, "consoleSize");
	if (request->tty && terminal_size(&size))
		json_object_set_new(
			process, "consoleSize",
			json_pack("{s:i, s:i}", "height", size.rows, "width", size.columns));
	json_object_del(process, "commandLine");
	if (!json_is_array(json_object_get(process, "env")))
		json_object_set_new(process, "env", json_array());
	for (size_t i = 0; i < request->env.count; i++)
		set_variable(json_object_get(process, "env"), request->env.items[i]);
	if (request->cwd)
		json_object_set_new(process, "cwd", json_string(request->cwd));
	if (request->user && set_user(process, facts, request->user, err) < 0)
		return NULL;
	return json_incref(process);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/exec_process.h"

#include "ocid-shim/memory_file.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 0xfffffffe }; /* the last is no user or group */

/* Read `UID` or `UID:GID`: numbers, since only the runtime is in the container. *group is -1 where
 * there is none. */
static bool parse_user(const char *text, long long *user, long long *group)
{
	long long *const parts[] = { user, group };

	*group = -1;
	for (int i = 0; i < 2; i++) {
		size_t digits = strspn(text, "0123456789");

		if (digits == 0 || digits > 10)
			return false;
		*parts[i] = strtoll(text, NULL, 10);
		if (*parts[i] > (long long)ID_MAX)
			return false;
		if (!text[digits])
			return true;
		if (text[digits] != ':')
			return false;
		text += digits + 1;
	}
	return false;
}

static bool is_utf8(const char *text)
{
	json_auto_t *string = json_string(text);

	return string != NULL;
}

int exec_request_check(const struct cli *cli, const struct exec_request *request, struct error *err)
{
	long long user = 0, group = 0;

	if (request->cwd && (request->cwd[0] != '/' || !is_utf8(request->cwd)))
		return cli_usage(cli, err, "--cwd: \"%s\" is not an absolute path in UTF-8",
				 request->cwd);
	if (request->user && !parse_user(request->user, &user, &group))
		return cli_usage(cli, err, "--user: \"%s\" is not UID or UID:GID, in numbers",
				 request->user);
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

/* Another user has neither the groups of the container's nor, but for root, its capabilities. */
static void set_user(json_t *process, const char *text)
{
	json_t *capabilities = json_object_get(process, "capabilities");
	json_t *bounding = json_object_get(capabilities, "bounding");
	json_t *own = json_object_get(process, "user");
	long long user = 0, group = -1;

	if (!parse_user(text, &user, &group))
		return;
	if (group < 0)
		group = json_integer_value(json_object_get(own, "gid"));
	json_object_set_new(
		process, "user",
		json_pack("{s:I, s:I}", "uid", (json_int_t)user, "gid", (json_int_t)group));
	if (!capabilities)
		return;
	json_object_set_new(process, "capabilities",
			    user == 0 ? json_pack("{s:O*, s:O*, s:O*}", "bounding", bounding,
						  "effective", bounding, "permitted", bounding)
				      : json_pack("{s:O*}", "bounding", bounding));
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

int exec_process(const json_t *facts, const struct exec_request *request, const char *const *args,
		 struct error *err)
{
	cleanup_free char *path = xasprintf("%s/config.json", json_text(facts, "bundle", ""));
	json_auto_t *config = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
	json_t *process; /* borrowed from config */

	if (!config || json_require(config, path, err, "{s:o}", "process", &process) < 0)
		return -1;

	json_t *words = to_array(args);
	if (!words)
		return error_set(err, ERROR_USAGE, "an argument of the command is not UTF-8");
	json_object_set_new(process, "args", words);
	json_object_set_new(process, "terminal", json_false());
	json_object_del(process, "consoleSize");
	json_object_del(process, "commandLine");
	if (!json_is_array(json_object_get(process, "env")))
		json_object_set_new(process, "env", json_array());
	for (size_t i = 0; i < request->env.count; i++)
		set_variable(json_object_get(process, "env"), request->env.items[i]);
	if (request->cwd)
		json_object_set_new(process, "cwd", json_string(request->cwd));
	if (request->user)
		set_user(process, request->user);
	return memory_file("process", process, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/request.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/notify.h"
#include "lib/version.h"
#include "ocid-shim/container.h"
#include "ocid-shim/descriptor.h"
#include "ocid-shim/runtime.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ARGUMENTS_MAX = 60 }; /* the monitor has room for no more */

/* Id, bundle and document from the command line. */
static int from_operands(const struct cli *cli, struct request *request, struct error *err)
{
	const struct create_settings *settings = cli->settings;

	if (cli->operand_count == 0)
		return cli_usage(cli, err, "--bundle needs the container's id as operand");
	if (!settings->bundle)
		return cli_usage(cli, err, "an id needs --bundle");
	if (container_check_id(cli->operands[0], err) < 0)
		return -1;
	request->document = json_object();
	request->id = xstrdup(cli->operands[0]);
	request->bundle = realpath(settings->bundle, NULL);
	if (!request->bundle)
		return error_os(err, "bundle %s", settings->bundle);
	return 0;
}

static int from_document(struct request *request, struct error *err)
{
	request->document = document_read(err);
	if (!request->document)
		return -1;

	const char *id = document_id(request->document, err);
	const char *bundle = id ? document_bundle(request->document, err) : NULL;
	if (!bundle)
		return -1;
	request->id = xstrdup(id);
	request->bundle = realpath(bundle, NULL);
	if (!request->bundle)
		return error_os(err, "bundle %s", bundle);
	return 0;
}

/* Whether the runtime makes a PID namespace for the container. */
static bool has_own_pids(const json_t *config)
{
	const json_t *namespaces = json_object_get(json_object_get(config, "linux"), "namespaces");
	const json_t *entry;
	size_t i;

	json_array_foreach (namespaces, i, entry)
		if (strcmp(json_text(entry, "type", ""), "pid") == 0)
			return json_text(entry, "path", "")[0] == '\0';
	return false;
}

/* What we need to know of the container's configuration; the runtime judges the rest. */
static int read_config(struct request *request, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/config.json", request->bundle);
	int terminal = 0;

	request->config = json_read_at(AT_FDCWD, path, JSON_CONFIG_MAX, err);
	if (!request->config && err->kind == ERROR_NOT_FOUND)
		return error_hint(err, "put oci-gen generate before this tool");
	if (!request->config || json_require(request->config, path, err, "{s?{s?b}}", "process",
					     "terminal", &terminal) < 0)
		return -1;
	request->terminal = terminal;
	request->shares_pids = !has_own_pids(request->config);
	request->oci_version = json_text(request->config, "ociVersion", OCI_RUNTIME_SPEC_VERSION);
	request->annotations = json_object_get(request->config, "annotations");
	return 0;
}

/* How a runtime names the cgroup: by cgroupsPath, which is SLICE:PREFIX:NAME for systemd, or by the
 * id. */
static char *cgroup_end(const struct request *request, bool systemd)
{
	const char *path = json_text(json_object_get(request->config, "linux"), "cgroupsPath", "");
	const char *colon = strrchr(path, ':');
	size_t length;

	if (systemd)
		return xasprintf("-%s.scope", colon ? colon + 1 : request->id);
	path += strspn(path, "/");
	length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		length--;
	return length > 0 ? xasprintf("/%.*s", (int)length, path) : xasprintf("/%s", request->id);
}

/* Whether there is an input, and when it ends: by --stdin, else as the CRI's client wants it. */
static void choose_input(const struct cli *cli, struct request *request)
{
	const struct create_settings *settings = cli->settings;
	const json_t *wanted = json_path(request->document, "cri", "container", NULL);
	const char *mode = settings->stdin_mode;

	if (!mode && json_flag(wanted, "stdin"))
		mode = json_flag(wanted, "stdinOnce") ? "once" : "open";
	request->input_ends_once = mode && strcmp(mode, "once") == 0;
	request->has_input = request->input_ends_once || (mode && strcmp(mode, "open") == 0);
}

/* What is to be done for who supervises the container. */
static int choose_supervision(const struct cli *cli, struct request *request, struct error *err)
{
	const struct create_settings *settings = cli->settings;
	const char *mode = settings->notify_mode, *program = settings->exit_command;

	request->notify_mode = mode;
	if (strcmp(mode, "ignore") != 0 && !notify_is_expected())
		return cli_usage(cli, err, "--sd-notify: NOTIFY_SOCKET is not set");
	if (!program && settings->exit_arguments.count > 0)
		return cli_usage(cli, err, "--exit-command-arg needs --exit-command");
	if (program && (program[0] != '/' || access(program, X_OK) < 0))
		return cli_usage(cli, err,
				 "--exit-command: \"%s\" is not the absolute path of a program",
				 program);
	if (settings->exit_arguments.count > EXIT_ARGUMENTS_MAX)
		return cli_usage(cli, err, "--exit-command-arg: at most %d", EXIT_ARGUMENTS_MAX);
	if (program)
		strings_add(&request->exit_command, program);
	for (size_t i = 0; i < settings->exit_arguments.count; i++)
		strings_add(&request->exit_command, settings->exit_arguments.items[i]);
	return descriptor_option(cli, "ready-fd", settings->ready_fd, err);
}

int request_make(const struct cli *cli, struct request *request, struct error *err)
{
	const struct create_settings *settings = cli->settings;
	cleanup_request struct request made = { 0 };
	bool stand_alone = cli->operand_count > 0 || settings->bundle;

	made.options = json_array();
	if (settings->systemd_cgroup)
		json_array_append_new(made.options, json_string("--systemd-cgroup"));
	if ((stand_alone ? from_operands(cli, &made, err) : from_document(&made, err)) < 0 ||
	    choose_supervision(cli, &made, err) < 0 || read_config(&made, err) < 0 ||
	    log_target_choose(cli, &settings->log, made.document, made.id, made.bundle, &made.log,
			      err) < 0)
		return -1;
	made.cgroup_end = cgroup_end(&made, settings->systemd_cgroup);
	choose_input(cli, &made);
	if (settings->restore) {
		made.restore = realpath(settings->restore, NULL);
		if (!made.restore)
			return error_os(err, "checkpoint %s", settings->restore);
	}
	made.runtime = runtime_find(settings->runtime, err);
	if (!made.runtime)
		return -1;
	*request = made;
	made = (struct request){ 0 };
	return 0;
}

void request_free(struct request *request)
{
	json_decref(request->document);
	json_decref(request->config);
	json_decref(request->options);
	free(request->id);
	free(request->bundle);
	free(request->runtime);
	free(request->restore);
	free(request->cgroup_end);
	log_target_free(&request->log);
	strings_free(&request->exit_command);
	*request = (struct request){ 0 };
}

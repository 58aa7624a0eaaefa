/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/log_target.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/json.h"
#include "lib/path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { TAG_MAX = 128, FILES_MAX = 1000, SHORT_ID = 12 };

void log_target_free(struct log_target *target)
{
	free(target->path);
	free(target->journal);
	free(target->fields);
	*target = (struct log_target){ 0 };
}

/* container.log_path of the CRI lies below pod.log_directory; both come from a client. */
static int cri_log_path(const json_t *cri, char **path, struct error *err)
{
	const char *directory = json_text(json_object_get(cri, "pod"), "logDirectory", "");
	const char *name = json_text(json_object_get(cri, "container"), "logPath", "");

	if (!directory[0] || !name[0])
		return 0;
	if (directory[0] != '/')
		return error_set(err, ERROR_USAGE, "the pod's log directory \"%s\" is not absolute",
				 directory);
	if (!path_descends(name))
		return error_set(err, ERROR_USAGE, "the container's log path \"%s\" leads outside",
				 name);
	*path = xasprintf("%s/%s", directory, name);
	return 0;
}

/* An absolute name for a path that need not exist yet. */
static char *absolute(const char *path, struct error *err)
{
	char directory[PATH_MAX];

	if (path[0] == '/')
		return xstrdup(path);
	if (!getcwd(directory, sizeof directory)) {
		error_os(err, "working directory");
		return NULL;
	}
	return xasprintf("%s/%s", directory, path);
}

static int choose_file(const struct log_settings *settings, const json_t *document,
		       const char *bundle, struct log_target *target, struct error *err)
{
	if (settings->path)
		target->path = absolute(settings->path, err);
	else if (cri_log_path(json_object_get(document, "cri"), &target->path, err) < 0)
		return -1;
	else if (!target->path)
		target->path = xasprintf("%s/log", bundle);
	if (!target->path)
		return -1;

	cleanup_free char *own = xasprintf("%s/log", bundle);
	target->owned = strcmp(target->path, own) == 0;
	return 0;
}

/* A value of a field is one line. */
static bool is_value(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return length > 0 && length <= TAG_MAX;
}

/* The journal, with the fields that conmon gives its records. */
static int choose_journal(const struct cli *cli, const struct log_settings *settings,
			  const json_t *document, const char *id, struct log_target *target,
			  struct error *err)
{
	const char *name = json_text(json_object_get(document, "rootfs"), "name", id);
	const char *tag = settings->tag ? settings->tag : id;

	if (!is_value(tag))
		return cli_usage(cli, err, "--log-tag: one line of 1 to %d bytes", TAG_MAX);
	if (settings->namespace && !path_is_id(settings->namespace))
		return cli_usage(cli, err, "--log-namespace: \"%s\" is no name",
				 settings->namespace);
	target->journal =
		xasprintf("/run/systemd/journal%s%s/socket", settings->namespace ? "." : "",
			  settings->namespace ? settings->namespace : "");
	if (access(target->journal, F_OK) < 0 ||
	    strlen(target->journal) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
		error_set(err, ERROR_UNSUPPORTED, "there is no journal at %s", target->journal);
		return error_hint(err, "is systemd-journald running?");
	}
	target->fields = xasprintf("CONTAINER_ID=%.*s\nCONTAINER_ID_FULL=%s\nCONTAINER_NAME=%s\n"
				   "CONTAINER_TAG=%s\nSYSLOG_IDENTIFIER=%s\n",
				   SHORT_ID, id, id, is_value(name) ? name : id, tag, tag);
	return 0;
}

static int choose_drivers(const struct cli *cli, const struct log_settings *settings, bool *file,
			  bool *journal, struct error *err)
{
	bool none = false;

	*file = settings->drivers.count == 0;
	for (size_t i = 0; i < settings->drivers.count; i++) {
		const char *driver = settings->drivers.items[i];

		if (strcmp(driver, "file") == 0 || strcmp(driver, "k8s-file") == 0)
			*file = true;
		else if (strcmp(driver, "journald") == 0)
			*journal = true;
		else if (strcmp(driver, "none") == 0)
			none = true;
		else
			return cli_usage(cli, err,
					 "--log-driver: \"%s\" is not file, journald or none",
					 driver);
	}
	if (none && (*file || *journal))
		return cli_usage(cli, err, "--log-driver: none stands alone");
	if (!*file && (settings->path || settings->size_max != -1))
		return cli_usage(cli, err, "--log-path and --log-size-max are for a file");
	if (!*journal && (settings->tag || settings->namespace))
		return cli_usage(cli, err, "--log-tag and --log-namespace are for the journal");
	return 0;
}

int log_target_choose(const struct cli *cli, const struct log_settings *settings,
		      const json_t *document, const char *id, const char *bundle,
		      struct log_target *target, struct error *err)
{
	bool file = false, journal = false;

	if (settings->size_max == 0 || settings->size_max < -1)
		return cli_usage(cli, err, "--log-size-max: a number of bytes, or -1");
	if (settings->files_max < 0 || settings->files_max > FILES_MAX)
		return cli_usage(cli, err, "--log-max-files: 0 to %d", FILES_MAX);
	if (choose_drivers(cli, settings, &file, &journal, err) < 0)
		return -1;
	target->size_max = settings->size_max > 0 ? settings->size_max : 0;
	target->files_max = settings->files_max;
	if ((file && choose_file(settings, document, bundle, target, err) < 0) ||
	    (journal && choose_journal(cli, settings, document, id, target, err) < 0)) {
		log_target_free(target);
		return -1;
	}
	return 0;
}

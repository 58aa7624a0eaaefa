/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pods.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "ocid-dispatch/pause.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

int pod_ids(const struct records *records, struct strings *ids, struct error *err)
{
	return records_ids(records->pods_fd, ".", "", ids, err);
}

char *pod_find(const struct records *records, const char *text, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (path_is_id(text) && faccessat(records->pods_fd, text, F_OK, 0) == 0)
		return xstrdup(text);
	if (pod_ids(records, &ids, err) < 0)
		return NULL;

	const char *found = records_choose(&ids, text, "pod", err);
	return found ? xstrdup(found) : NULL;
}

json_t *pod_read(const struct records *records, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/document.json", id);
	json_t *document = json_read_at(records->pods_fd, path, JSON_DOCUMENT_MAX, err);

	if (!document && err->kind == ERROR_NOT_FOUND) {
		error_set(err, ERROR_NOT_FOUND, "no pod \"%s\"", id);
		error_subject(err, id);
	}
	return document;
}

json_t *pod_asked(const struct records *records, const json_t *request, struct error *err)
{
	cleanup_free char *id = pod_find(records, json_text(request, "podSandboxId", ""), err);

	return id ? pod_read(records, id, err) : NULL;
}

int pod_write(const struct records *records, json_t *document, const char *stage,
	      enum record_kind kind, struct error *err)
{
	const char *id = pod_id(document);
	cleanup_fd int fd = path_open_beneath(records->pods_fd, id, O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return error_prefix(err, "pod %s", id);
	json_object_set_new(json_object_get(document, "pod"), "stage", json_string(stage));
	return records_write(fd, "document.json", document, kind, err);
}

int pod_lock(const struct records *records, const char *id, enum lock_mode mode, bool wait,
	     struct error *err)
{
	return lock_take(records->store.locks_fd, "pod", id, mode, wait, err);
}

const char *pod_id(const json_t *document)
{
	return json_text(json_object_get(document, "pod"), "id", "");
}

const char *pod_stage(const json_t *document)
{
	return json_text(json_object_get(document, "pod"), "stage", "");
}

const char *pod_handler(const json_t *document)
{
	return json_text(json_object_get(document, "pod"), "handler", "");
}

const char *pod_mode(const json_t *config, const char *what)
{
	const json_t *options =
		json_path(config, "linux", "securityContext", "namespaceOptions", NULL);

	return json_text(options, what, "POD");
}

static bool is_namespace(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

/* After a reboot the documents are there, and nothing that they tell of. */
static bool namespaces_exist(const json_t *document)
{
	json_t *paths = json_path(document, "cri", "sandbox", "namespaces", NULL), *path;
	const char *type;

	json_object_foreach (paths, type, path) {
		if (!is_namespace(json_string_value(path)))
			return false;
	}
	return true;
}

/* Who makes or removes it holds the lock for as long as that takes. */
static bool is_locked(const struct records *records, const char *id)
{
	struct error err;
	cleanup_fd int lock = pod_lock(records, id, LOCK_SHARED, false, &err);

	return lock < 0 && err.kind == ERROR_IN_USE;
}

bool pod_is_up(const struct records *records, const char *id)
{
	return faccessat(records->run_pods_fd, id, F_OK, 0) == 0;
}

enum pod_state pod_state(const struct records *records, const json_t *document)
{
	const char *id = pod_id(document), *stage = pod_stage(document);

	if (strcmp(stage, "making") == 0)
		return is_locked(records, id) ? POD_BEING_MADE : POD_NOT_READY;
	if (strcmp(stage, "ready") != 0 || !namespaces_exist(document))
		return POD_NOT_READY;
	/* a pod that has nothing of its own is gone after a reboot all the same */
	if (!pod_is_up(records, id))
		return POD_NOT_READY;
	if (json_path(document, "cri", "sandbox", "namespaces", "pid", NULL) &&
	    !pause_lives(records, id))
		return POD_NOT_READY;
	return POD_READY;
}

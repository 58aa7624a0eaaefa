/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync-delete.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/manifest.h"
#include "skopeo-c/registry.h"
#include "skopeo-c/sync-check.h"
#include "skopeo-c/tags.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct pruning {
	const struct sync_list *list;
	const struct access *access;
	struct http *http;
	bool dry_run;
	json_t *wanted;	 /* the destinations of all items: an object's keys */
	json_t *digests; /* what they are at the destination: likewise */
	json_t *rows;
	struct sync_failures *failures;
};

static void tell(struct pruning *pruning, const char *destination, const struct error *problem)
{
	json_t *row = json_pack("{s:s}", "destination", destination);

	if (problem) {
		json_object_set_new(row, "status", json_string("failed"));
		json_object_set_new(row, "error", error_json(problem, "skopeo-c", "sync"));
		sync_note_failure(pruning->failures, problem->kind, problem->message);
	} else {
		json_object_set_new(row, "status",
				    json_string(pruning->dry_run ? "would-delete" : "deleted"));
	}
	json_array_append_new(pruning->rows, row);
}

/* Whether any image of the list goes into the repository. */
static bool has_wanted(const struct pruning *pruning, const char *destination)
{
	size_t length = strlen(destination);
	const char *name;
	json_t *ignored;

	json_object_foreach (pruning->wanted, name, ignored) {
		if (strncmp(name, destination, length) == 0 && name[length] == ':')
			return true;
	}
	log_message(LOG_LEVEL_WARN, "nothing is wanted of %s: nothing is deleted there",
		    destination);
	return false;
}

/* ---- registries ---- */

/* Ask about, or delete, a manifest by its tag or digest. */
static int call_manifest(struct registry *registry, const char *method, const char *wanted,
			 struct registry_call *call, struct error *err)
{
	registry_call_init(call, registry, method,
			   xasprintf("/v2/%s/manifests/%s", registry->repository, wanted));
	strings_add(&call->request.headers, "Accept: " MANIFEST_ACCEPT);
	return registry_call_run(call, err);
}

/* The tag alone, where the registry can; else the manifest, unless a wanted tag stands for it. */
static int delete_tag(struct pruning *pruning, struct registry *registry, const char *tag,
		      struct error *err)
{
	cleanup_registry_call struct registry_call by_tag = { 0 }, head = { 0 }, by_digest = { 0 };

	if (call_manifest(registry, "HEAD", tag, &head, err) < 0)
		return -1;
	const char *digest = http_header(&head.request, "docker-content-digest", 0);
	if (call_manifest(registry, "DELETE", tag, &by_tag, err) < 0)
		return -1;
	if (by_tag.request.status / 100 == 2 || by_tag.request.status == 404)
		return 0;
	if (!digest || !digest_is_valid(digest))
		return registry_refused(&by_tag, tag, err);
	if (json_object_get(pruning->digests, digest))
		return error_set(err, ERROR_IN_USE,
				 "%s: the registry deletes no tag alone, and a wanted one stands "
				 "for the same manifest",
				 tag);
	if (call_manifest(registry, "DELETE", digest, &by_digest, err) < 0)
		return -1;
	return by_digest.request.status / 100 == 2 || by_digest.request.status == 404
		       ? 0
		       : registry_refused(&by_digest, tag, err);
}

static int prune_tags(struct pruning *pruning, struct registry *registry, const char *destination,
		      struct error *err)
{
	cleanup_tags struct tags tags = { 0 };
	const json_t *tag;
	size_t i;

	tags_start(&tags, registry);
	if (tags_wait(&tags, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	json_array_foreach (tags.list, i, tag) {
		cleanup_free char *name = xasprintf("%s:%s", destination, json_string_value(tag));
		struct error problem;

		if (json_object_get(pruning->wanted, name))
			continue;
		int status = pruning->dry_run ? 0
					      : delete_tag(pruning, registry,
							   json_string_value(tag), &problem);
		tell(pruning, name, status < 0 ? &problem : NULL);
	}
	return 0;
}

static int prune_registry(struct pruning *pruning, const char *destination, struct error *err)
{
	struct registry registry = { 0 };

	if (sync_open_registry(destination + strlen("docker://"), true, pruning->access,
			       "pull,push,delete", pruning->http, &registry, err) < 0)
		return -1;
	int status = prune_tags(pruning, &registry, destination, err);
	registry_close(&registry);
	return status;
}

/* ---- directories ---- */

static int remove_image(const char *path, struct error *err)
{
	cleanup_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	*slash = '\0';
	cleanup_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", parent) : path_remove_tree(fd, slash + 1, err);
}

static bool is_image(const char *path)
{
	cleanup_free char *manifest = xasprintf("%s/manifest.json", path);
	cleanup_free char *version = xasprintf("%s/version", path);

	return access(manifest, F_OK) == 0 && access(version, F_OK) == 0;
}

/* destination: "dir:PATH/NAME"; its images are PATH/NAME:TAG. */
static int prune_directory(struct pruning *pruning, const char *destination, struct error *err)
{
	cleanup_free char *parent = xstrdup(destination + strlen("dir:"));
	char *slash = strrchr(parent, '/');
	const char *name = slash + 1;

	*slash = '\0';
	cleanup_strings struct strings names = { 0 };
	if (directory_names(AT_FDCWD, parent, &names) < 0)
		return error_os(err, "%s", parent);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", parent, names.items[i]);
		cleanup_free char *image = xasprintf("dir:%s", path);
		struct error problem;

		if (strncmp(names.items[i], name, strlen(name)) != 0 ||
		    names.items[i][strlen(name)] != ':' ||
		    json_object_get(pruning->wanted, image) || !is_image(path))
			continue;
		int status = pruning->dry_run ? 0 : remove_image(path, &problem);
		tell(pruning, image, status < 0 ? &problem : NULL);
	}
	return 0;
}

/* ---- all ---- */

static int prune_all(struct pruning *pruning, struct error *err)
{
	json_auto_t *seen = json_object();

	for (size_t i = 0; i < pruning->list->repository_count; i++) {
		const struct sync_repository *repository = &pruning->list->repositories[i];
		const char *destination = repository->destination;

		if (!repository->is_whole || json_object_get(seen, destination) ||
		    !has_wanted(pruning, destination))
			continue;
		json_object_set_new(seen, destination, json_true());
		int status = strncmp(destination, "dir:", 4) == 0
				     ? prune_directory(pruning, destination, err)
				     : prune_registry(pruning, destination, err);
		if (status < 0)
			return -1;
	}
	return 0;
}

int sync_delete(const struct sync_list *list, const struct access *destination, struct http *http,
		bool dry_run, json_t *rows, struct sync_failures *failures, struct error *err)
{
	json_auto_t *wanted = json_object(), *digests = json_object();
	struct pruning pruning = {
		list, destination, http, dry_run, wanted, digests, rows, failures
	};

	for (size_t i = 0; i < list->count; i++) {
		json_object_set_new(wanted, list->items[i].destination, json_true());
		json_object_set_new(digests, list->items[i].digest, json_true());
	}
	return prune_all(&pruning, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_delete.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "skopeo-c/copy_image.h"
#include "skopeo-c/prune_repository.h"
#include "skopeo-c/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct pruning {
	const struct cli *cli;
	const struct sync_list *list;
	const struct copy_request *request;
	struct http *http;
	bool dry_run;
	json_t *rows;
	struct sync_failures *failures;
};

static void tell(struct pruning *pruning, const char *destination, const struct error *problem)
{
	json_t *row = json_pack("{s:s}", "destination", destination);

	if (problem) {
		json_object_set_new(row, "status", json_string("failed"));
		json_object_set_new(row, "error",
				    error_json(problem, pruning->cli->tool, pruning->cli->verb));
		sync_note_failure(pruning->failures, problem->kind, problem->message);
	} else {
		json_object_set_new(row, "status",
				    json_string(pruning->dry_run ? "would-delete" : "deleted"));
	}
	json_array_append_new(pruning->rows, row);
}

/* The tags and digests that images of the list go to in the repository: an object's keys. NULL
 * where there is no tag. The caller owns it. */
static json_t *wanted_of(const struct pruning *pruning, const char *destination)
{
	size_t length = strlen(destination);
	json_auto_t *wanted = json_object();
	bool any_tag = false;

	for (size_t i = 0; i < pruning->list->count; i++) {
		const char *name = pruning->list->items[i].destination;

		if (strncmp(name, destination, length) != 0 || !strchr(":@", name[length]))
			continue;
		/* a tag before a digest is only a remark */
		const char *digest = strchr(name + length, '@');
		any_tag = any_tag || !digest;
		json_object_set_new(wanted, digest ? digest + 1 : name + length + 1, json_true());
	}
	return any_tag ? json_incref(wanted) : NULL;
}

/* ---- registries ---- */

static int delete_tag(struct prune_repository *repository, const struct prune_tag *tag,
		      struct error *err)
{
	enum prune_outcome outcome = prune_repository_delete(repository, tag, err);

	if (outcome == PRUNE_KEPT)
		return error_set(err, ERROR_IN_USE,
				 "%s: the registry deletes no tag alone, and a wanted one needs "
				 "its manifest",
				 tag->name);
	return outcome == PRUNE_FAILED ? -1 : 0;
}

static int prune_tags(struct pruning *pruning, struct prune_repository *repository,
		      const json_t *wanted, const char *destination, struct error *err)
{
	static const struct tag_filter all = { 0 };
	const struct prune_rules rules = {
		.filter = &all, .wanted = wanted, .oldest = -1, .keep = -1
	};

	if (prune_repository_plan(repository, &rules, err) < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	cleanup_free const struct prune_tag **doomed = prune_plan_doomed(&repository->plan);
	for (size_t i = 0; doomed[i]; i++) {
		cleanup_free char *name = xasprintf("%s:%s", destination, doomed[i]->name);
		struct error problem = { 0 };
		int status = pruning->dry_run ? 0 : delete_tag(repository, doomed[i], &problem);

		tell(pruning, name, status < 0 ? &problem : NULL);
		if (cli_interrupted())
			return cli_fail_interrupted(err);
	}
	return 0;
}

static int prune_registry(struct pruning *pruning, const char *destination, const json_t *wanted,
			  struct error *err)
{
	cleanup_prune_repository struct prune_repository repository = { 0 };
	const struct copy_request *request = pruning->request;
	const struct transport_settings reading = { .cli = pruning->cli,
						    .http = pruning->http,
						    .access = *request->destination_access,
						    .registries_d =
							    request->trust->options->registries_d };

	return prune_repository_open(&repository, destination + strlen("docker://"), &reading,
				     err) < 0
		       ? -1
		       : prune_tags(pruning, &repository, wanted, destination, err);
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
static int prune_directory(struct pruning *pruning, const char *destination, const json_t *wanted,
			   struct error *err)
{
	cleanup_free char *parent = xstrdup(destination + strlen("dir:"));
	char *slash = strrchr(parent, '/');
	const char *name = slash + 1;

	*slash = '\0';
	cleanup_strings struct strings names = { 0 };
	if (directory_names(AT_FDCWD, parent, &names) < 0)
		return errno == ENOENT ? 0 : error_os(err, "%s", parent);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = xasprintf("%s/%s", parent, names.items[i]);
		cleanup_free char *image = xasprintf("dir:%s", path);
		struct error problem;

		if (strncmp(names.items[i], name, strlen(name)) != 0 ||
		    names.items[i][strlen(name)] != ':' ||
		    json_object_get(wanted, names.items[i] + strlen(name) + 1) || !is_image(path))
			continue;
		int status = pruning->dry_run ? 0 : remove_image(path, &problem);
		tell(pruning, image, status < 0 ? &problem : NULL);
	}
	return 0;
}

/* ---- all ---- */

static bool is_source(const struct sync_list *list, const char *destination)
{
	for (size_t i = 0; i < list->repository_count; i++)
		if (strncmp(destination, "docker://", 9) == 0 &&
		    strcmp(list->repositories[i].name, destination + 9) == 0)
			return true;
	return false;
}

int sync_delete_check(const struct sync_list *list, struct error *err)
{
	for (size_t i = 0; i < list->repository_count; i++) {
		const struct sync_repository *repository = &list->repositories[i];

		if (repository->is_whole && is_source(list, repository->destination))
			return error_set(err, ERROR_USAGE,
					 "%s is a source: --delete deletes nothing there",
					 repository->destination);
	}
	return 0;
}

static int prune_one(struct pruning *pruning, const char *destination, struct error *err)
{
	json_auto_t *wanted = wanted_of(pruning, destination);

	if (!wanted) {
		log_message(LOG_LEVEL_WARN, "nothing is wanted of %s: nothing is deleted there",
			    destination);
		return 0;
	}
	return strncmp(destination, "dir:", 4) == 0
		       ? prune_directory(pruning, destination, wanted, err)
		       : prune_registry(pruning, destination, wanted, err);
}

int sync_delete(const struct cli *cli, const struct sync_list *list,
		const struct copy_request *request, struct http *http, bool dry_run, json_t *rows,
		struct sync_failures *failures, struct error *err)
{
	struct pruning pruning = { cli, list, request, http, dry_run, rows, failures };
	json_auto_t *seen = json_object();

	for (size_t i = 0; i < list->repository_count; i++) {
		const struct sync_repository *repository = &list->repositories[i];

		if (!repository->is_whole || json_object_get(seen, repository->destination))
			continue;
		json_object_set_new(seen, repository->destination, json_true());
		if (prune_one(&pruning, repository->destination, err) < 0)
			return -1;
	}
	return 0;
}

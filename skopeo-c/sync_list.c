/* SPDX-License-Identifier: Apache-2.0 */
#include "skopeo-c/sync_list.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/directory.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/tags.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 /* of directories */ };

static void free_item(struct sync_item *item)
{
	free(item->source);
	free(item->destination);
	json_decref(item->failure);
}

void sync_list_free(struct sync_list *list)
{
	for (size_t i = 0; i < list->repository_count; i++) {
		free(list->repositories[i].name);
		free(list->repositories[i].destination);
		free(list->repositories[i].failure);
	}
	for (size_t i = 0; i < list->count; i++)
		free_item(&list->items[i]);
	free(list->repositories);
	free(list->items);
	json_decref(list->configuration);
	*list = (struct sync_list){ 0 };
}

void sync_note_failure(struct sync_failures *failures, enum error_kind kind, const char *message)
{
	if (failures->count++ == 0) {
		failures->kind = kind;
		snprintf(failures->first, sizeof failures->first, "%s", message);
	} else if (failures->kind != kind) {
		failures->kind = ERROR_FAILED;
	}
}

/* ---- names ---- */

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* The tag in a name such as a sync to directories makes, "busybox:1.36", or NULL. */
static const char *tag_of(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon && !strchr(colon, '/') && !strchr(name, '@') ? colon + 1 : NULL;
}

/* Where a name of the source goes; the caller frees it. */
static char *destination_of(const struct sync_target *target, const char *name)
{
	const char *kept = target->scoped ? name : last_part(name);
	size_t length = strlen(target->place);

	while (*kept == '/')
		kept++;
	while (length > 1 && target->place[length - 1] == '/')
		length--;
	return xasprintf("%s%.*s/%s",
			 target->type == SYNC_DOCKER ? "docker://" : "dir:", (int)length,
			 target->place, kept);
}

static void add_item(struct sync_list *list, const char *prefix, const char *name,
		     const struct sync_target *target, const char *kept)
{
	cleanup_free char *destination = destination_of(target, kept);
	struct sync_item item = {
		.repository = list->repository_count - 1,
		.source = xasprintf("%s%s", prefix, name),
		.destination = xasprintf("%s%s", destination,
					 target->suffix && tag_of(kept) ? target->suffix : ""),
	};

	list->items = xgrow(list->items, list->count, sizeof *list->items);
	list->items[list->count++] = item;
}

static struct sync_repository *add_repository(struct sync_list *list, const char *name,
					      const struct access *access,
					      const struct sync_target *target)
{
	struct sync_repository repository = {
		.name = xstrdup(name),
		.destination = destination_of(target, name),
	};

	if (access)
		repository.access = *access;
	list->repositories =
		xgrow(list->repositories, list->repository_count, sizeof *list->repositories);
	list->repositories[list->repository_count++] = repository;
	return &list->repositories[list->repository_count - 1];
}

/* ---- registries ---- */

static int add_tags(struct sync_list *list, const struct reference *reference,
		    const struct tag_filter *filter, const struct sync_target *target,
		    struct http *http, struct error *err)
{
	struct sync_repository *repository = &list->repositories[list->repository_count - 1];
	struct error failure;
	json_auto_t *tags = tags_list(reference, &repository->access, http, &failure);
	const json_t *tag;
	size_t i;

	if (!tags && list->keep_going && !cli_interrupted()) {
		repository->failure = xcalloc(1, sizeof failure);
		*repository->failure = failure;
		return 0;
	}
	if (!tags) {
		*err = failure;
		return -1;
	}
	repository->is_whole = true;
	json_array_foreach (tags, i, tag) {
		cleanup_free char *name =
			xasprintf("%s:%s", repository->name, json_string_value(tag));

		if (tag_filter_wants(filter, json_string_value(tag)))
			add_item(list, "docker://", name, target, name);
	}
	return 0;
}

int sync_list_add(struct sync_list *list, const char *text, const struct tag_filter *filter,
		  const struct access *access, const struct sync_target *target, struct http *http,
		  struct error *err)
{
	cleanup_reference struct reference reference = { 0 };

	if (reference_parse(text, &reference, err) < 0)
		return -1;
	cleanup_free char *name = reference_name(&reference);
	add_repository(list, name, access, target);
	if (!reference.tag && !reference.digest)
		return add_tags(list, &reference, filter, target, http, err);
	cleanup_free char *full = reference_text(&reference);
	add_item(list, "docker://", full, target, full);
	return 0;
}

/* ---- directories ---- */

void sync_list_reduce(struct sync_list *list, size_t first, const struct tag_filter *filter)
{
	size_t kept = first;

	for (size_t i = first; i < list->count; i++) {
		const char *tag = tag_of(list->items[i].source);

		if (tag && !tag_filter_wants(filter, tag))
			free_item(&list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

void sync_list_cut(struct sync_list *list, size_t count)
{
	while (list->count > count)
		free_item(&list->items[--list->count]);
}

int sync_list_unify(struct sync_list *list, struct error *err)
{
	json_auto_t *sources = json_object(); /* by destination */
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct sync_item *item = &list->items[i];
		const char *other = json_text(sources, item->destination, NULL);

		if (other && strcmp(other, item->source) != 0) {
			error_set(err, ERROR_USAGE, "%s and %s would both become %s", other,
				  item->source, item->destination);
			return error_hint(err, "--scoped keeps whole names");
		}
		if (other) {
			free_item(item);
			*item = (struct sync_item){ 0 };
		} else {
			json_object_set_new(sources, item->destination, json_string(item->source));
		}
	}
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].source)
			list->items[kept++] = list->items[i];
	list->count = kept;
	return 0;
}

/* Whether it is there, as what the type says; -1 where that cannot be said: an image that cannot be
 * looked at is not left out. */
static int is_there(const char *path, mode_t type, struct error *err)
{
	struct stat st;

	/* a link is no directory of ours, but may be a manifest */
	if ((type == S_IFDIR ? lstat(path, &st) : stat(path, &st)) == 0)
		return (st.st_mode & S_IFMT) == type;
	return errno == ENOENT || errno == ENOTDIR ? 0 : error_os(err, "%s", path);
}

static int walk(struct sync_list *list, const char *base, const char *path,
		const struct tag_filter *filter, const struct sync_target *target, int depth,
		struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	const char *kept = strcmp(path, base) == 0 ? last_part(base) : path + strlen(base);
	const char *tag = tag_of(kept);
	cleanup_free char *manifest = xasprintf("%s/manifest.json", path);
	int status = is_there(manifest, S_IFREG, err);

	if (status < 0)
		return -1;
	if (status > 0) {
		if (!tag || tag_filter_wants(filter, tag))
			add_item(list, "dir:", path, target, kept);
		return 0;
	}
	if (depth == DEPTH_MAX)
		return error_set(err, ERROR_LIMIT, "%s: directories are nested too deep", path);
	if (directory_names(AT_FDCWD, path, &names) < 0)
		return error_os(err, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *below = xasprintf("%s/%s", path, names.items[i]);
		bool is_hidden = names.items[i][0] == '.';
		int found = is_hidden ? 0 : is_there(below, S_IFDIR, err);

		if (found < 0 ||
		    (found && walk(list, base, below, filter, target, depth + 1, err) < 0))
			return -1;
	}
	return 0;
}

int sync_list_add_dir(struct sync_list *list, const char *path, const struct tag_filter *filter,
		      const struct sync_target *target, struct error *err)
{
	cleanup_free char *base = xstrdup(path);
	size_t length = strlen(base);

	while (length > 1 && base[length - 1] == '/')
		base[--length] = '\0';
	add_repository(list, base, NULL, target);
	if (walk(list, base, base, filter, target, 0, err) < 0)
		return -1;
	if (list->count > 0)
		return 0;
	return error_set(err, ERROR_NOT_FOUND, "%s holds no dir: image", path);
}

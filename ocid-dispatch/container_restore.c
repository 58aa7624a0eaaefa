/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/container_restore.h"

#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/reference.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/deleted_files.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/images.h"
#include "ocid-dispatch/pipeline.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRIU_FILE "criu.conf"

enum { DIRECTORY_MODE = 0711, CRIU_FILE_MAX = 64 << 10 };

bool restore_is_checkpoint(const json_t *row)
{
	static const char *const annotations[] = {
		"org.criu.checkpoint.container.name",
		"io.kubernetes.cri-o.annotations.checkpoint.name",
		"checkpointctl.annotation.checkpoint.name", NULL
	};
	const json_t *found = json_path(row, "image", "manifest", "annotations", NULL);

	for (const char *const *name = annotations; *name; name++)
		if (json_object_get(found, *name))
			return true;
	return false;
}

int restore_check(const struct rpc_context *context, const char *name, struct error *err)
{
	if (json_flag(context->configuration->json, "restoreCheckpoints"))
		return 0;
	error_set(err, ERROR_DENIED, "%s is a checkpoint, and restoring is not allowed here", name);
	return error_hint(err, "see restoreCheckpoints in ocid.json(5)");
}

/* ---- images ---- */

/* An image of one layer, of a file of that name; *row is the caller's. */
static int import(const struct rpc_context *context, const char *file, int pass_fd, json_t **row,
		  struct error *err)
{
	cleanup_pipeline struct pipeline pipeline = { .pass_fd = pass_fd };
	json_auto_t *listed = NULL;

	pipeline_add(&pipeline, "ctr-store", "import", "--", file, NULL);
	if (pipeline_document(&pipeline, context, &listed, err) < 0)
		return -1;
	if (images_find(context, json_text(listed, "id", ""), row, err) < 0)
		return -1;
	return *row ? 0 : error_set(err, ERROR_TEMPORARY, "an image was removed meanwhile");
}

int restore_import(const struct rpc_context *context, const char *path, json_t **row,
		   struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cleanup_free char *file = xasprintf("/dev/fd/%d", fd);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_os(err, "the checkpoint %s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, "the checkpoint %s is no regular file", path);
	return import(context, file, fd, row, err) < 0
		       ? error_prefix(err, "the checkpoint %s", path)
		       : 0;
}

void restore_drop(const struct rpc_context *context, const char *id)
{
	cleanup_pipeline struct pipeline pipeline = { 0 };
	int interrupted = cli_interrupt_take();
	struct error err = { 0 };

	pipeline_add(&pipeline, "ctr-store", "rm", "--image", "--force", "--", id, NULL);
	if (pipeline_run(&pipeline, context, &err) < 0 && err.kind != ERROR_NOT_FOUND)
		log_message(LOG_LEVEL_WARN, "image %s of a checkpoint is left: %s", id,
			    err.message);
	cli_interrupt_put(interrupted);
}

void restoration_end(const struct rpc_context *context, struct restoration *restoration)
{
	for (size_t i = 0; i < restoration->layers.count; i++)
		restore_drop(context, restoration->layers.items[i]);
	strings_free(&restoration->layers);
	json_decref(restoration->config);
	json_decref(restoration->image);
	*restoration = (struct restoration){ 0 };
}

/* Pull it as anybody can. */
static int pull(const struct rpc_context *context, const char *name, json_t **row,
		struct error *err)
{
	json_auto_t *request = json_pack("{s:{s:s}}", "image", "image", name);
	json_auto_t *answer = NULL;

	return images_pull(context, request, &answer, err) < 0
		       ? -1
		       : images_find(context, json_text(answer, "imageRef", ""), row, err);
}

/* The image that the container was of, by the names that it had then. */
static int find_image(const struct rpc_context *context, const json_t *config, json_t **row,
		      struct error *err)
{
	static const char *const keys[] = { "rootfsImageRef", "rootfsImageName", "rootfsImage",
					    NULL };
	cleanup_reference struct reference reference = { 0 };
	const char *name = json_text(config, "rootfsImageRef", "");
	struct error ignored;

	for (const char *const *key = keys; *key && !*row; key++) {
		const char *text = json_text(config, *key, "");

		if (*text && images_find(context, text, row, err) < 0)
			return -1;
	}
	if (!*row && reference_parse(name, &reference, &ignored) == 0 && reference.digest &&
	    pull(context, name, row, err) < 0)
		return error_prefix(err, "the image of the checkpoint");
	if (*row)
		return 0;
	error_set(err, ERROR_NOT_FOUND, "no image \"%s\", of which the checkpoint is",
		  json_text(config, "rootfsImageName", name));
	return error_hint(err, "pull it first");
}

/* ---- what the container had changed ---- */

/* Put a tar archive, of a descriptor, onto the image as one more layer. */
static int add_layer(const struct rpc_context *context, int fd, struct restoration *restoration,
		     struct error *err)
{
	cleanup_free char *file = xasprintf("/dev/fd/%d", fd);
	json_t *image = json_object_get(restoration->image, "image");
	json_auto_t *row = NULL;

	if (import(context, file, fd, &row, err) < 0)
		return -1;
	strings_add(&restoration->layers, json_text(row, "id", ""));
	json_array_extend(json_path(image, "manifest", "layers", NULL),
			  json_path(row, "image", "manifest", "layers", NULL));
	json_array_extend(json_path(image, "config", "rootfs", "diff_ids", NULL),
			  json_path(row, "image", "config", "rootfs", "diff_ids", NULL));
	return 0;
}

/* A file of the checkpoint. -1 where it is not there, with ERROR_NOT_FOUND. */
static int open_file(int directory_fd, const char *name, struct error *err)
{
	struct stat st;
	cleanup_fd int fd = path_open_beneath(directory_fd, name, O_RDONLY | O_NONBLOCK, err);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERROR_INTEGRITY, "%s is no regular file", name);
	return steal_fd(&fd);
}

static json_t *read_file(int directory_fd, const char *name, struct error *err)
{
	cleanup_fd int fd = open_file(directory_fd, name, err);

	return fd < 0 ? NULL : json_read_fd(fd, JSON_CONFIG_MAX, name, err);
}

/* 0 where the file is not there. */
static int add_difference(const struct rpc_context *context, int directory_fd,
			  struct restoration *restoration, struct error *err)
{
	struct error why = { 0 };
	cleanup_fd int fd = open_file(directory_fd, "rootfs-diff.tar", &why);

	if (fd < 0 && why.kind == ERROR_NOT_FOUND)
		return 0;
	if (fd >= 0 && add_layer(context, fd, restoration, &why) == 0)
		return 0;
	*err = why;
	return error_prefix(err, "rootfs-diff.tar");
}

/* The same: other engines do not put whiteouts into the archive. */
static int add_deletions(const struct rpc_context *context, int directory_fd,
			 struct restoration *restoration, struct error *err)
{
	struct error why = { 0 };
	json_auto_t *deleted = read_file(directory_fd, "deleted.files", &why);

	if (!deleted && why.kind == ERROR_NOT_FOUND)
		return 0;
	cleanup_fd int fd = deleted ? deleted_files_archive(deleted, &why) : -1;
	if (fd >= 0 && add_layer(context, fd, restoration, &why) == 0)
		return 0;
	*err = why;
	return -1;
}

/* ---- mounts ---- */

/* Those that are ours to give. */
static bool is_given(const char *destination)
{
	static const char *const ours[] = { "/dev/shm",
					    "/etc/hosts",
					    "/etc/hostname",
					    "/etc/resolv.conf",
					    "/run/secrets",
					    "/run/.containerenv",
					    NULL };

	for (const char *const *at = ours; *at; at++)
		if (strcmp(*at, destination) == 0)
			return true;
	return false;
}

static bool has_mount(const json_t *container, const char *destination)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(container, "mounts"), i, mount)
		if (strcmp(json_text(mount, "containerPath", ""), destination) == 0)
			return true;
	return false;
}

/* A checkpoint must not bring in directories of this host, and CRIU would look in vain for those
 * that are not there. */
static int check_mounts(const json_t *spec, const json_t *container, struct error *err)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(spec, "mounts"), i, mount) {
		const char *destination = json_text(mount, "destination", "");

		if (strcmp(json_text(mount, "type", ""), "bind") != 0 || is_given(destination) ||
		    has_mount(container, destination))
			continue;
		return error_set(err, ERROR_USAGE,
				 "the checkpoint has a mount at %s, which the container must have",
				 destination);
	}
	return 0;
}

/* ---- all of it ---- */

static char *mount_directory(const struct records *records, const struct named *named)
{
	return xasprintf("%s/pods/%s/images/%s/checkpoint", records->store.runroot, named->pod,
			 named->id);
}

/* Returns the directory, open. */
static int mount_checkpoint(const struct rpc_context *context, const struct records *records,
			    const struct named *named, const char *id, struct error *err)
{
	cleanup_free char *directory = mount_directory(records, named);
	cleanup_pipeline struct pipeline pipeline = { 0 };

	if (path_make_dirs(directory, DIRECTORY_MODE, err) < 0)
		return -1;
	pipeline_add(&pipeline, "ctr-store", "mount", "--image", "--", id, directory, NULL);
	if (pipeline_run(&pipeline, context, err) < 0)
		return -1;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_os(err, "%s", directory) : fd;
}

int restore_prepare(const struct rpc_context *context, const struct records *records,
		    const struct named *named, const char *checkpoint, const json_t *container,
		    struct restoration *restoration, struct error *err)
{
	cleanup_fd int fd = mount_checkpoint(context, records, named, checkpoint, err);
	json_auto_t *spec = fd < 0 ? NULL : read_file(fd, "spec.dump", err);

	restoration->config = spec ? read_file(fd, "config.dump", err) : NULL;
	if (!restoration->config || check_mounts(spec, container, err) < 0 ||
	    find_image(context, restoration->config, &restoration->image, err) < 0 ||
	    add_difference(context, fd, restoration, err) < 0 ||
	    add_deletions(context, fd, restoration, err) < 0)
		return error_prefix(err, "the checkpoint");
	return 0;
}

/* ---- what CRIU is told ---- */

void restore_generate(const struct records *records, const char *id, struct strings *words)
{
	strings_add(words, "--annotation");
	strings_addf(words, "org.criu.config=%s/containers/%s/" CRIU_FILE, records->store.root, id);
}

/* The runtime has CRIU read this file instead of the administrator's. */
int restore_configure(const struct records *records, const char *id, struct error *err)
{
	cleanup_free char *name = xasprintf("%s/" CRIU_FILE, id);
	cleanup_free char *usual = NULL;
	size_t length = 0;

	if (file_read_known("/etc/criu/runc.conf", false, CRIU_FILE_MAX, &usual, &length, err) < 0)
		return -1;
	cleanup_free char *text = xasprintf("%s\nmanage-cgroups=ignore\n", usual ? usual : "");
	return file_replace_volatile_at(records->store.containers_fd, name, text, strlen(text),
					0600, err);
}

void restore_note(const struct restoration *restoration, const char *name, json_t *record)
{
	const char *when = json_text(restoration->config, "checkpointedTime", "");
	json_t *annotations = json_deep_copy(json_object_get(record, "annotations"));

	annotations = annotations ? annotations : json_object();
	json_object_set_new(annotations, "restored", json_string("true"));
	json_object_set_new(annotations, "checkpointImage", json_string(name));
	json_object_set_new(annotations, "checkpointedAt", json_string(when));
	json_object_set_new(record, "annotations", annotations);
	/* what it was asked for by is the checkpoint */
	json_object_del(json_object_get(record, "image"), "userSpecifiedImage");
}

char *restore_directory(const struct records *records, const struct named *named)
{
	cleanup_free char *directory = mount_directory(records, named);
	cleanup_free char *images = xasprintf("%s/checkpoint", directory);

	return access(directory, F_OK) < 0 ? NULL : steal_ptr(&images);
}

void restore_release(const struct rpc_context *context, const struct records *records,
		     const struct named *named)
{
	cleanup_free char *directory = mount_directory(records, named);
	cleanup_pipeline struct pipeline pipeline = { 0 };
	struct error err = { 0 };

	pipeline_add(&pipeline, "ctr-store", "umount", "--force", "--lazy", "--", directory, NULL);
	if (pipeline_run(&pipeline, context, &err) < 0) {
		log_message(LOG_LEVEL_WARN, "container %s: %s", named->id, err.message);
		return;
	}
	rmdir(directory);
	json_auto_t *record = container_read(records, named, &err);
	const char *imported = json_text(record, "importedImage", NULL);
	if (imported)
		restore_drop(context, imported);
}

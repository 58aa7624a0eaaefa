/* SPDX-License-Identifier: Apache-2.0 */
/* CreateContainer: ctr-store create | oci-gen generate. */
#include "lib/cgroup.h"
#include "lib/cleanup.h"
#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/random.h"
#include "ocid-dispatch/configuration.h"
#include "ocid-dispatch/container_images.h"
#include "ocid-dispatch/container_restore.h"
#include "ocid-dispatch/container_target.h"
#include "ocid-dispatch/containers.h"
#include "ocid-dispatch/handlers.h"
#include "ocid-dispatch/images.h"
#include "ocid-dispatch/pipeline.h"
#include "ocid-dispatch/pods.h"
#include "ocid-dispatch/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOST_PATH_MODE = 0755 };

/* What is being made, and where. */
struct creation {
	const struct rpc_context *context;
	const struct records *records;
	const json_t *config; /* ContainerConfig; borrowed */
	json_t *pod;	      /* the pod's document */
	char *question;	      /* for which the store finds the image on the way; or NULL */
	json_t *image;	      /* a row of `ctr-store image`; NULL while it is not known */
	char id[RANDOM_ID_SIZE];
	int pod_lock, lock;
	const char *archive;		/* of a checkpoint, as which the image is named; or NULL */
	bool is_checkpoint;		/* the image that was found */
	struct restoration restoration; /* where it is made of a checkpoint */
};

static void creation_free(struct creation *creation)
{
	json_decref(creation->pod);
	json_decref(creation->image);
	free(creation->question);
	cleanup_fd_p(&creation->pod_lock);
	cleanup_fd_p(&creation->lock);
	restoration_end(creation->context, &creation->restoration);
}
#define cleanup_creation __attribute__((cleanup(creation_free)))

/* ---- what is asked for ---- */

static int check_config(const json_t *config, struct error *err)
{
	if (!*json_text(json_object_get(config, "metadata"), "name", ""))
		return error_set(err, ERROR_USAGE, "the container's metadata has no name");
	if (json_object_get(config, "windows"))
		return error_set(err, ERROR_UNSUPPORTED, "this is no Windows node");
	return 0;
}

static bool is_privileged(const json_t *config)
{
	return json_is_true(json_path(config, "linux", "securityContext", "privileged", NULL));
}

/* A pod says before that a container in it will be (api.proto, LinuxSandboxSecurityContext). */
static int check_privilege(const struct creation *c, struct error *err)
{
	if (!is_privileged(c->config) || is_privileged(json_path(c->pod, "cri", "pod", NULL)))
		return 0;
	return error_set(
		err, ERROR_USAGE,
		"no privileged container is allowed in the pod %s, which is not privileged",
		pod_id(c->pod));
}

static bool log_leads_outside(const char *directory, const char *path)
{
	struct error why = { 0 };

	if (!path_descends(path))
		return true;
	/* what is not there yet is made at the start */
	cleanup_fd int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int log = fd < 0 ? -1 : path_open_beneath(fd, path, O_PATH, &why);
	return log < 0 && why.kind == ERROR_INTEGRITY;
}

/* Else ocid-shim would refuse it, when it is started. */
static int check_log(const struct creation *c, struct error *err)
{
	const char *directory =
		json_text(json_path(c->pod, "cri", "pod", NULL), "logDirectory", "");
	const char *path = json_text(c->config, "logPath", "");

	if (!*directory || !*path || !log_leads_outside(directory, path))
		return 0;
	return error_set(err, ERROR_USAGE, "the container's log path \"%s\" leads outside", path);
}

static bool has_mount(const json_t *config, const char *key)
{
	const json_t *mount, *value;
	size_t i;

	json_array_foreach (json_object_get(config, "mounts"), i, mount) {
		value = json_object_get(mount, key);
		if (json_is_true(value) || json_array_size(value) > 0)
			return true;
	}
	return false;
}

/* A runtime that cannot do something with a mount leaves it undone without a word. */
static int check_runtime(const struct creation *c, struct error *err)
{
	bool recursive = has_mount(c->config, "recursiveReadOnly");
	bool mapped = has_mount(c->config, "uidMappings") || has_mount(c->config, "gidMappings");

	if (!recursive && !mapped)
		return 0;
	const char *path =
		configuration_runtime(c->context->configuration, pod_handler(c->pod), err);
	json_auto_t *features = path ? runtime_features(path) : NULL;
	if (!features)
		return -1;
	if (mapped && !json_flag(features, "userNamespaces"))
		return error_set(err, ERROR_UNSUPPORTED,
				 "the runtime %s cannot map the ids of a mount", path);
	if (recursive && !json_flag(features, "recursiveReadOnlyMounts"))
		/* the name is of cri-api's pkg/errors, and for kubelets the status must be UNKNOWN
		 */
		return error_set(err, ERROR_FAILED,
				 "RROUnsupported: the runtime %s has no recursive read-only mounts",
				 path);
	return 0;
}

static int find_pod(struct creation *c, const char *text, struct error *err)
{
	cleanup_free char *id = pod_find(c->records, text, err);

	if (!id)
		return -1;
	/* it must not be stopped while a container is being put into it */
	c->pod_lock = pod_lock(c->records, id, LOCK_SHARED, true, err);
	if (c->pod_lock < 0)
		return -1;
	c->pod = pod_read(c->records, id, err);
	if (!c->pod)
		return -1;
	if (pod_state(c->records, c->pod) != POD_READY)
		return error_set(err, ERROR_IN_USE, "the pod %s is not ready", id);
	return 0;
}

static const char *image_name(const struct creation *c)
{
	return json_text(json_object_get(c->config, "image"), "image", "");
}

/* Nearly always `ctr-store create` can find it by itself, which saves a process. */
static int find_image(struct creation *c, struct error *err)
{
	const char *name = image_name(c);

	if (!*name)
		return error_set(err, ERROR_USAGE, "the request names no image");
	if (*name == '/') {
		c->archive = name;
		return restore_check(c->context, name, err);
	}
	if (!images_may_be_part(name)) {
		c->question = images_question(name, err);
		return c->question ? 0 : -1;
	}
	if (images_find(c->context, name, &c->image, err) < 0)
		return -1;
	return c->image ? 0 : images_missing(name, err);
}

/* The image that was found on the way: a row from a document. */
static int take_image(struct creation *c, const json_t *document, struct error *err)
{
	json_t *image = json_object_get(document, "image");
	json_auto_t *row =
		json_pack("{s:s, s:s, s:O*, s:O*, s:O*}", "id",
			  json_text(json_path(image, "manifest", "config", NULL), "digest", ""),
			  "digest", json_text(json_object_get(image, "descriptor"), "digest", ""),
			  "names", json_object_get(image, "names"), "repoDigests",
			  json_object_get(image, "repoDigests"), "image", image);

	if (!images_is_called(row, image_name(c)))
		return images_missing(image_name(c), err);
	c->image = json_incref(row);
	return 0;
}

/* ---- the record ---- */

/* The image as the client asked for it, and what that is. */
static json_t *image_spec(const struct creation *c)
{
	json_t *spec = json_deep_copy(json_object_get(c->config, "image"));
	const char *asked = json_text(spec, "userSpecifiedImage", "");

	json_object_set_new(spec, "image", json_string(*asked ? asked : images_name(c->image)));
	return spec;
}

static void note_image(const struct creation *c, json_t *record)
{
	const char *id = json_text(c->image, "id", "");

	json_object_set_new(record, "image", image_spec(c));
	json_object_set_new(record, "imageRef", json_string(images_digested(c->image)));
	json_object_set_new(record, "imageId", json_string(id));
}

static json_t *make_record(const struct creation *c)
{
	json_t *record = json_pack(
		"{s:s, s:s, s:O*, s:I}", "id", c->id, "podSandboxId", pod_id(c->pod), "metadata",
		json_object_get(c->config, "metadata"), "createdAt", clock_wall_ns());
	static const char *const keys[] = { "labels", "annotations", NULL };

	for (const char *const *key = keys; *key; key++) {
		json_t *value = json_object_get(c->config, *key);

		if (value)
			json_object_set(record, *key, value);
	}
	return record;
}

/* Another container of that name and attempt: one whose maker was killed is removed. */
static int clear_name(const struct creation *c, const char *id, struct error *err)
{
	struct named named = { (char *)id, (char *)pod_id(c->pod) };
	json_auto_t *other = container_read(c->records, &named, err);

	if (!other)
		return records_is_lost(err) ? 0 : -1;
	if (!json_equal(json_object_get(other, "metadata"), json_object_get(c->config, "metadata")))
		return 0;
	if (strcmp(json_text(other, "stage", ""), "made") == 0 ||
	    container_is_being_made(c->records, other)) {
		error_set(err, ERROR_EXISTS,
			  "a container with this name and attempt exists in the pod: %s", id);
		return error_subject(err, id);
	}
	cleanup_fd int lock = container_lock(c->records, id, true, err);
	return lock < 0 ? -1 : container_remove(c->context, c->records, &named, err);
}

static int claim_locked(struct creation *c, json_t *record, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };

	if (container_ids(c->records, pod_id(c->pod), &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++)
		if (clear_name(c, ids.items[i], err) < 0)
			return -1;
	c->lock = container_lock(c->records, c->id, true, err);
	if (c->lock < 0)
		return -1;
	return container_write(c->records, pod_id(c->pod), record, "making", RECORD_VOLATILE, err);
}

/* Write down what is begun, when no other has the name. */
static int claim(struct creation *c, json_t *record, struct error *err)
{
	int locks_fd = c->records->store.locks_fd;
	cleanup_fd int names =
		lock_take(locks_fd, "podnames", pod_id(c->pod), LOCK_EXCLUSIVE, true, err);
	int status = names < 0 ? -1 : claim_locked(c, record, err);

	if (names >= 0)
		lock_discard(locks_fd, "podnames", pod_id(c->pod));
	return status;
}

/* ---- making ---- */

/* Kubelets count on directories of the host that are not there being made. */
static int make_host_paths(const struct creation *c, struct error *err)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(c->config, "mounts"), i, mount) {
		const char *path = json_text(mount, "hostPath", "");
		struct stat st;

		if (*path != '/' || lstat(path, &st) == 0)
			continue;
		if (path_make_dirs(path, HOST_PATH_MODE, err) < 0)
			return error_prefix(err, "a mount of the container");
	}
	return 0;
}

/* The document with which the line begins. */
static json_t *first_document(const struct creation *c, struct error *err)
{
	json_auto_t *config = json_deep_copy(c->config);
	json_auto_t *sandbox = json_deep_copy(json_path(c->pod, "cri", "sandbox", NULL));
	json_t *network = json_object_get(c->pod, "network");

	const struct named named = { (char *)c->id, (char *)pod_id(c->pod) };
	json_t *images = json_object();
	cleanup_free char *target = NULL;

	json_object_set_new(sandbox, "images", images);
	if (container_target(c->records, c->config, named.pod, &target, err) < 0 ||
	    container_images_mount(c->context, c->records, &named, config, images, err) < 0)
		return NULL;
	if (target)
		json_object_set_new(json_object_get(sandbox, "namespaces"), "target",
				    json_string(target));
	json_t *image = c->image ? json_incref(json_object_get(c->image, "image"))
				 : json_string(c->question);
	return json_pack("{s:o, s:{s:O, s:O, s:O}, s:O*}", "image", image, "cri", "pod",
			 json_path(c->pod, "cri", "pod", NULL), "container", config, "sandbox",
			 sandbox, "network", network);
}

static void add_map(struct strings *words, const char *option, const json_t *mappings)
{
	const json_t *map;
	size_t i;

	json_array_foreach (mappings, i, map) {
		strings_add(words, option);
		strings_addf(words,
			     "%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT
			     ":%" JSON_INTEGER_FORMAT,
			     json_integer_value(json_object_get(map, "containerId")),
			     json_integer_value(json_object_get(map, "hostId")),
			     json_integer_value(json_object_get(map, "length")));
	}
}

/* The files of a container in a user namespace belong to its ids. */
static void add_store(struct pipeline *pipeline, const struct creation *c)
{
	struct strings *words =
		pipeline_add(pipeline, "ctr-store", "create", "--volatile", "--id", c->id, NULL);
	const json_t *options = json_path(c->pod, "cri", "pod", "linux", "securityContext",
					  "namespaceOptions", "usernsOptions", NULL);

	if (!json_path(c->pod, "cri", "sandbox", "namespaces", "user", NULL))
		return;
	add_map(words, "--uidmap", json_object_get(options, "uids"));
	add_map(words, "--gidmap", json_object_get(options, "gids"));
}

/* An archive becomes an image, which goes with the container. */
static int import(struct creation *c, json_t *record, struct error *err)
{
	if (restore_import(c->context, c->archive, &c->image, err) < 0)
		return -1;
	json_object_set(record, "importedImage", json_object_get(c->image, "id"));
	return container_write(c->records, pod_id(c->pod), record, "making", RECORD_VOLATILE, err);
}

/* Take the image of the checkpoint. */
static int restore(struct creation *c, struct error *err)
{
	const struct named named = { c->id, (char *)pod_id(c->pod) };

	if (restore_prepare(c->context, c->records, &named, json_text(c->image, "id", ""),
			    c->config, &c->restoration, err) < 0)
		return -1;
	json_decref(c->image);
	c->image = json_incref(c->restoration.image);
	return 0;
}

static int run_tools(struct creation *c, struct error *err)
{
	const char *failed = "";
	json_auto_t *first = first_document(c, err), *document = NULL;
	cleanup_pipeline struct pipeline pipeline = { .input = first, .failed = &failed };

	if (!first || make_host_paths(c, err) < 0)
		return -1;
	add_store(&pipeline, c);
	struct strings *generate = pipeline_add(&pipeline, "oci-gen", "generate", NULL);
	if (c->restoration.image)
		restore_generate(c->records, c->id, generate);
	if (pipeline_document(&pipeline, c->context, &document, err) < 0) {
		/* in what the client or the image asks for: no data is lost */
		if (strcmp(failed, "oci-gen") == 0 && err->kind == ERROR_INTEGRITY)
			err->kind = ERROR_USAGE;
		return !c->image && strcmp(err->subject, c->question) == 0
			       ? images_missing(image_name(c), err)
			       : -1;
	}
	return c->image ? 0 : take_image(c, document, err);
}

/* What was made is a copy of a checkpoint: it has to go. */
static int find_checkpoint(struct creation *c, struct error *err)
{
	if (restore_check(c->context, image_name(c), err) < 0)
		return -1;
	c->is_checkpoint = true;
	return error_set(err, ERROR_USAGE, "%s is a checkpoint", image_name(c));
}

/* As an image it may lack what containers need, so that none was made. */
static int fail(struct creation *c, struct error *err)
{
	struct error ignored;

	if (c->image || c->archive ||
	    images_find(c->context, image_name(c), &c->image, &ignored) < 0)
		return -1;
	return restore_is_checkpoint(c->image) ? find_checkpoint(c, err) : -1;
}

static int make(struct creation *c, json_t *record, struct error *err)
{
	bool restores = c->archive || c->is_checkpoint;

	if ((c->archive && import(c, record, err) < 0) || (restores && restore(c, err) < 0))
		return -1;
	if (run_tools(c, err) < 0)
		return fail(c, err);
	if (!restores && restore_is_checkpoint(c->image))
		return find_checkpoint(c, err);
	note_image(c, record);
	if (restores && restore_configure(c->records, c->id, err) < 0)
		return -1;
	if (restores)
		restore_note(&c->restoration, image_name(c), record);
	return cli_interrupted() ? cli_fail_interrupted(err) : 0;
}

/* Take back what is there; the failure that led here is the one to tell. */
static void undo(const struct creation *c)
{
	const struct named named = { (char *)c->id, (char *)pod_id(c->pod) };
	int interrupted = cli_interrupt_take();
	struct error err = { 0 };

	if (container_remove(c->context, c->records, &named, &err) < 0)
		log_message(LOG_LEVEL_WARN, "container %s is left half-made: %s", c->id,
			    err.message);
	cli_interrupt_put(interrupted);
}

static int create(struct creation *c, struct error *err)
{
	json_auto_t *record = make_record(c);

	if (claim(c, record, err) < 0)
		return -1;
	if (make(c, record, err) == 0 &&
	    container_write(c->records, pod_id(c->pod), record, "made", RECORD_FIRST, err) == 0)
		return 0;
	undo(c);
	cleanup_fd_p(&c->lock);
	return -1;
}

int containers_create(const struct rpc_context *context, const json_t *request, json_t **response,
		      struct error *err)
{
	cleanup_records struct records records = { 0 };
	cleanup_creation struct creation creation = { .context = context,
						      .records = &records,
						      .config = json_object_get(request, "config"),
						      .pod_lock = -1,
						      .lock = -1 };

	/* clients start what they have created, in the next milliseconds */
	cgroup_expect_move();
	random_id(creation.id);
	if (check_config(creation.config, err) < 0 || records_open(context, &records, err) < 0 ||
	    find_pod(&creation, json_text(request, "podSandboxId", ""), err) < 0 ||
	    check_privilege(&creation, err) < 0 || check_log(&creation, err) < 0 ||
	    check_runtime(&creation, err) < 0 || find_image(&creation, err) < 0)
		return -1;

	if (create(&creation, err) < 0) {
		if (!creation.is_checkpoint)
			return -1;
		*err = (struct error){ 0 };
		if (create(&creation, err) < 0)
			return -1;
	}
	*response = json_pack("{s:s}", "containerId", creation.id);
	return 0;
}

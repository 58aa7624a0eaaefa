/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/image.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "oci-gen/generation.h"
#include "oci-gen/pointer.h"

#include <stdlib.h>
#include <string.h>

enum { VOLUMES_MAX = 4096 };

#define IMAGE_ANNOTATION "org.opencontainers.image."

/* Fields that become annotations; in_config: below "config", not at the top. */
static const struct {
	const char *field, *annotation;
	bool in_config;
} annotated[] = {
	{ "os", IMAGE_ANNOTATION "os", false },
	{ "architecture", IMAGE_ANNOTATION "architecture", false },
	{ "variant", IMAGE_ANNOTATION "variant", false },
	{ "os.version", IMAGE_ANNOTATION "os.version", false },
	{ "os.features", IMAGE_ANNOTATION "os.features", false },
	{ "author", IMAGE_ANNOTATION "author", false },
	{ "created", IMAGE_ANNOTATION "created", false },
	{ "StopSignal", IMAGE_ANNOTATION "stopSignal", true },
	{ "ExposedPorts", IMAGE_ANNOTATION "exposedPorts", true },
};

/* Annotations by which a runtime takes orders (hook output to a file of the host, another seccomp
 * filter, properties of a systemd unit, another handler). An image has no say in these. */
static const char *const forbidden_labels[] = {
	"run.oci.",	"org.systemd.property.", "org.criu.",
	"module.wasm.", "io.katacontainers.",	 "io.kubernetes.cri-o.",
	"io.podman.",	"dev.gvisor.",		 "io.kubernetes.cri.",
	"krun.",
};

/* A member that may be absent or null, and else must have the type. */
static int member(const json_t *object, const char *key, json_type type, json_t **ret,
		  struct error *err)
{
	json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && json_typeof(value) != type)
		return error_set(err, ERROR_INTEGRITY,
				 "image configuration: \"%s\" has the wrong type", key);
	*ret = json_is_null(value) ? NULL : value;
	return 0;
}

/* The same for an array of strings; NULL also for an empty one. */
static int member_strings(const json_t *object, const char *key, json_t **ret, struct error *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (member(object, key, JSON_ARRAY, &array, err) < 0)
		return -1;
	json_array_foreach (array, i, item) {
		if (!json_is_string(item))
			return error_set(err, ERROR_INTEGRITY,
					 "image configuration: \"%s\" holds what is not a string",
					 key);
	}
	*ret = json_array_size(array) > 0 ? array : NULL;
	return 0;
}

static int apply_command(struct generation *g, const json_t *config, struct error *err)
{
	json_t *entrypoint = NULL, *command = NULL;

	if (member_strings(config, "Entrypoint", &entrypoint, err) < 0 ||
	    member_strings(config, "Cmd", &command, err) < 0)
		return -1;
	if (!entrypoint && !command && g->from_template)
		return 0;
	json_decref(g->entrypoint);
	json_decref(g->command);
	g->entrypoint = json_incref(entrypoint);
	/* an image without any leaves the choice to the caller, not to the template */
	g->command = command ? json_incref(command) : json_array();
	return 0;
}

static int apply_environment(struct generation *g, const json_t *config, struct error *err)
{
	json_t *list = NULL, *item;
	size_t i;

	if (member_strings(config, "Env", &list, err) < 0)
		return -1;
	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item), *equals = strchr(text, '=');

		if (equals && equals != text)
			generation_set_env(g, text);
		else
			log_message(LOG_LEVEL_WARN,
				    "the image's variable \"%s\" has no name or no value: left out",
				    text);
	}
	return 0;
}

static int apply_process(struct generation *g, const json_t *config, struct error *err)
{
	json_t *directory = NULL, *user = NULL;

	if (member(config, "WorkingDir", JSON_STRING, &directory, err) < 0 ||
	    member(config, "User", JSON_STRING, &user, err) < 0)
		return -1;

	const char *path = json_string_value(directory);
	bool windows = g->platform && strcmp(g->platform, "windows") == 0;
	if (path && *path) {
		/* runtimes want it absolute; builders have not always written it so */
		bool rooted = *path == '/' || windows;
		cleanup_free char *absolute = xasprintf("%s%s", rooted ? "" : "/", path);

		pointer_set(g->config, "/process/cwd", json_string(absolute));
	}
	const char *name = user ? json_string_value(user) : "";
	if (!*name && g->from_template)
		return 0;
	if (windows) {
		pointer_set(g->config, "/process/user/username", json_string(name));
		return 0;
	}
	free(g->user);
	g->user = xstrdup(name);
	return 0;
}

/* The text of an annotation: a string as it is, the items of an array or the keys of an object
 * with commas between. The caller frees it; NULL for any other type. */
static char *annotation_text(const json_t *value)
{
	cleanup_strings struct strings parts = { 0 };
	const char *key;
	json_t *item;
	size_t i, length = 1;

	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (!json_is_array(value) && !json_is_object(value))
		return NULL;
	json_array_foreach (value, i, item) {
		if (json_is_string(item))
			strings_add(&parts, json_string_value(item));
	}
	json_object_foreach ((json_t *)value, key, item) {
		strings_add(&parts, key);
	}
	for (i = 0; i < parts.count; i++)
		length += strlen(parts.items[i]) + 1;

	char *text = xcalloc(length, 1), *end = text;
	for (i = 0; i < parts.count; i++) {
		if (i > 0)
			*end++ = ',';
		end = stpcpy(end, parts.items[i]);
	}
	return text;
}

static void annotate(json_t *annotations, const json_t *image, const json_t *config)
{
	for (size_t i = 0; i < sizeof annotated / sizeof *annotated; i++) {
		const json_t *value = json_object_get(annotated[i].in_config ? config : image,
						      annotated[i].field);
		cleanup_free char *text = annotation_text(value);

		if (text && *text)
			json_object_set_new(annotations, annotated[i].annotation,
					    json_string(text));
	}
}

bool image_annotation_is_order(const char *label)
{
	for (size_t i = 0; i < sizeof forbidden_labels / sizeof *forbidden_labels; i++)
		if (strncmp(label, forbidden_labels[i], strlen(forbidden_labels[i])) == 0)
			return true;
	return false;
}

/* Labels after the fields, because they take precedence (conversion.md, "Annotations"). */
static int apply_annotations(struct generation *g, const json_t *image, const json_t *config,
			     struct error *err)
{
	json_t *annotations = pointer_object(g->config, "/annotations");
	json_t *labels = NULL, *value;
	const char *key;

	annotate(annotations, image, config);
	if (member(config, "Labels", JSON_OBJECT, &labels, err) < 0)
		return -1;
	json_object_foreach (labels, key, value) {
		if (!json_is_string(value))
			return error_set(err, ERROR_INTEGRITY,
					 "image configuration: label \"%s\" is not a string", key);
		if (image_annotation_is_order(key))
			log_message(LOG_LEVEL_WARN,
				    "the image's label \"%s\" would control the runtime: "
				    "left out (--annotation sets it)",
				    key);
		else if (*key)
			json_object_set(annotations, key, value);
	}
	return 0;
}

int image_apply(struct generation *g, const json_t *image, struct error *err)
{
	json_t *config = NULL, *volumes = NULL;

	if (!json_is_object(image))
		return error_set(err, ERROR_INTEGRITY,
				 "the image configuration is not a JSON object");
	if (json_object_get(image, "schemaVersion")) {
		error_set(err, ERROR_INTEGRITY,
			  "this is an image's manifest, not its configuration");
		return error_hint(err, "skopeo-c inspect --config prints the configuration");
	}

	const char *wanted = g->platform ? g->platform : "linux";
	const char *os = json_text(image, "os", "");
	/* some builders leave it empty */
	if (*os && strcmp(os, wanted) != 0)
		return error_set(err, ERROR_UNSUPPORTED, "the image is for %s, not %s", os, wanted);
	if (member(image, "config", JSON_OBJECT, &config, err) < 0)
		return -1;
	if (apply_command(g, config, err) < 0 || apply_environment(g, config, err) < 0 ||
	    apply_process(g, config, err) < 0 ||
	    member(config, "Volumes", JSON_OBJECT, &volumes, err) < 0)
		return -1;
	/* each is looked up among all mounts */
	if (json_object_size(volumes) > VOLUMES_MAX)
		return error_set(err, ERROR_LIMIT, "the image has %zu volumes, more than %d",
				 json_object_size(volumes), VOLUMES_MAX);
	json_decref(g->volumes);
	g->volumes = json_incref(volumes);
	return apply_annotations(g, image, config, err);
}

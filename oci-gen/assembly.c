/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/assembly.h"

#include "lib/apparmor.h"
#include "lib/cleanup.h"
#include "lib/config_paths.h"
#include "lib/document.h"
#include "lib/json.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/image.h"
#include "oci-gen/network.h"
#include "oci-gen/pointer.h"
#include "oci-gen/source.h"
#include "oci-gen/template.h"
#include "oci-gen/trace.h"

#include <string.h>

static const struct cli_option own_options[] = {
	{ "document", 0, "FILE", OPTION_STRING, offsetof(struct assembly, document),
	  "read the container document from FILE; - is standard input" },
	{ "no-document", 0, NULL, OPTION_FLAG, offsetof(struct assembly, no_document),
	  "do not read standard input" },
	{ "template", 0, "FILE", OPTION_STRING, offsetof(struct assembly, template),
	  "start from this configuration instead of the built-in one" },
	{ "os", 0, "linux|solaris|windows|freebsd", OPTION_STRING, offsetof(struct assembly, os),
	  "start from the built-in one for this system" },
	{ "image", 0, "FILE", OPTION_STRING, offsetof(struct assembly, image),
	  "OCI image configuration to run; - is standard input" },
	{ "patch", 0, "FILE", OPTION_LIST, offsetof(struct assembly, patches),
	  "merge this into the result (RFC 7396); - is standard input" },
};

enum { OWN_COUNT = sizeof own_options / sizeof *own_options };
_Static_assert(sizeof own_options / sizeof *own_options == ASSEMBLY_OWN_OPTIONS,
	       "the number in the header");

/* Hostnames default to as much of the id as people recognise it by. */
enum { SHORT_ID_LENGTH = 12 };

size_t assembly_fill(struct cli_option *options, size_t offset)
{
	for (size_t i = 0; i < OWN_COUNT; i++) {
		options[i] = own_options[i];
		options[i].offset += offset;
	}
	return OWN_COUNT +
	       options_fill(options + OWN_COUNT, offset + offsetof(struct assembly, slots));
}

static bool is_stdin(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* How many of the files to read, beside the document, are standard input. */
static int stdin_uses(const struct assembly *assembly)
{
	int uses = is_stdin(assembly->template) + is_stdin(assembly->image);

	for (size_t i = 0; i < assembly->patches.count; i++)
		uses += is_stdin(assembly->patches.items[i]);
	return uses;
}

/* The document, where there is one: asked for, or given on standard input when nothing else says
 * what to start from. */
int assembly_read_document(const struct cli *cli, const struct assembly *assembly,
			   json_t **document, struct error *err)
{
	const char *path = assembly->document;

	if (assembly->no_document && path)
		return cli_usage(cli, err, "--document and --no-document exclude each other");
	if (stdin_uses(assembly) + is_stdin(path) > 1)
		return cli_usage(cli, err, "only one thing can be read from standard input");
	if (!path && !assembly->no_document && !assembly->image && stdin_uses(assembly) == 0 &&
	    !options_given(assembly->slots, "/root/path") && source_stdin_given())
		path = "-";
	if (!path)
		return 0;
	*document = is_stdin(path) ? document_read(err) : source_read(path, JSON_DOCUMENT_MAX, err);
	if (*document && !json_is_object(*document))
		return error_set(err, ERROR_INTEGRITY, "%s is not a container document", path);
	return *document ? 0 : -1;
}

/* The built-in template for the operating system, unless it is the one that g starts with. */
static int apply_os(struct generation *g, const char *os, struct error *err)
{
	json_t *config = template_of(os);

	g->platform = os;
	if (strcmp(os, "linux") == 0)
		return 0;
	if (config)
		return generation_set_template(g, config, os, err);
	error_set(err, ERROR_UNSUPPORTED, "there is no built-in template for %s", os);
	return error_hint(err, "--template FILE starts from one of your own");
}

static int apply_template(struct generation *g, const struct cli *cli,
			  const struct assembly *assembly, struct error *err)
{
	const char *path = assembly->template;

	if (path && assembly->os)
		return cli_usage(cli, err, "--template and --os exclude each other");
	if (path) {
		json_t *config = source_read_template(path, JSON_CONFIG_MAX, err);

		if (!config || generation_set_template(g, config, path, err) < 0)
			return -1;
		generation_note_faults(g, config);
	}
	if (assembly->os && apply_os(g, assembly->os, err) < 0)
		return -1;
	trace_stage(g, path ? "--template" : "default");
	return 0;
}

static int apply_patches(struct generation *g, const struct strings *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		json_auto_t *patch = source_read_template(paths->items[i], JSON_CONFIG_MAX, err);

		if (!patch)
			return -1;
		if (generation_patch(g, patch, err) < 0)
			return error_prefix(err, "%s", paths->items[i]);
		trace_stage(g, "--patch");
	}
	return 0;
}

static int apply_image(struct generation *g, const struct assembly *assembly,
		       const json_t *document, struct error *err)
{
	const json_t *in_document = json_path(document, "image", "config", NULL);

	if (assembly->image) {
		json_auto_t *image = source_read(assembly->image, JSON_CONFIG_MAX, err);

		if (!image || image_apply(g, image, err) < 0)
			return -1;
	} else if (in_document && image_apply(g, in_document, err) < 0) {
		return -1;
	}
	trace_stage(g, "image");
	return 0;
}

/* What the document's rootfs says: where the root is, the default name, the control group. */
static int apply_rootfs(struct generation *g, const json_t *document, struct error *err)
{
	const char *id = document_id(document, err);
	const char *path = json_text(json_object_get(document, "rootfs"), "path", "");

	if (!id)
		return -1;
	if (path[0] != '/')
		return error_set(err, ERROR_INTEGRITY,
				 "the document's rootfs.path is not an absolute path");

	cleanup_free char *hostname = xstrndup(id, SHORT_ID_LENGTH);
	cleanup_free char *cgroup = xasprintf("/ocid/%s", id);
	pointer_set(g->config, "/root/path", json_string(path));
	g->volumes_mode = "bind";
	pointer_set(g->config, "/hostname", json_string(hostname));
	/* where others can make one, their runtime knows */
	if (config_user() == 0)
		pointer_set(g->config, "/linux/cgroupsPath", json_string(cgroup));
	trace_stage(g, "rootfs");
	return 0;
}

static int apply_cri(struct generation *g, const json_t *document, const char *bundle,
		     struct error *err)
{
	const json_t *asked = json_object_get(document, "cri");
	const char *id = document_id(document, err);
	json_t *cri = id ? cri_read(asked, err) : NULL;

	if (!cri)
		return -1;
	return cri_apply(g, cri, id, bundle, json_is_object(json_object_get(document, "network")),
			 err);
}

/* The container is for this host. What cri or a template says nothing of is decided by these. */
static void apply_apparmor(struct generation *g, const json_t *document)
{
	bool decided = g->from_template || json_object_get(document, "cri");
	const char *profile = !decided && apparmor_enabled() ? apparmor_default() : NULL;

	if (profile)
		pointer_set(g->config, "/process/apparmorProfile", json_string(profile));
	trace_stage(g, "default");
}

static int apply_document(struct generation *g, const struct assembly *assembly,
			  const json_t *document, struct error *err)
{
	const json_t *network = json_object_get(document, "network");
	bool has_rootfs = json_is_object(json_object_get(document, "rootfs"));
	const char *bundle = json_text(json_object_get(document, "rootfs"), "bundle", NULL);

	apply_apparmor(g, document);
	if ((has_rootfs || !options_given(assembly->slots, "/root/path")) &&
	    apply_rootfs(g, document, err) < 0)
		return -1;
	if (bundle && bundle[0] != '/')
		return error_set(err, ERROR_INTEGRITY,
				 "the document's rootfs.bundle is not an absolute path");
	g->volumes_bundle = bundle;
	if (json_is_object(network) && network_apply(g, network, bundle, err) < 0)
		return -1;
	trace_stage(g, "network");
	return json_object_get(document, "cri") ? apply_cri(g, document, bundle, err) : 0;
}

/* The command line after the options: what the entrypoint is given, in place of the image's. */
static int apply_operands(struct generation *g, const struct cli *cli, char **command,
			  struct error *err)
{
	if (!*command)
		return 0;
	if (g->args_given)
		return cli_usage(cli, err, "the command is given both by --args and as operands");
	json_decref(g->command);
	g->command = json_array();
	for (; *command; command++) {
		if (generation_check_text(*command, *command, err) < 0)
			return -1;
		json_array_append_new(g->command, json_string(*command));
	}
	trace_stage(g, "operands");
	return 0;
}

int assembly_make(const struct cli *cli, const struct assembly *assembly, const json_t *document,
		  char **command, struct generation *g, struct error *err)
{
	if (apply_template(g, cli, assembly, err) < 0 ||
	    apply_image(g, assembly, document, err) < 0 ||
	    (document && apply_document(g, assembly, document, err) < 0) ||
	    options_apply(g, assembly->slots, err) < 0 ||
	    apply_operands(g, cli, command, err) < 0 || generation_finish(g, err) < 0)
		return -1;
	trace_finish(g, "--cdi-device");
	if (apply_patches(g, &assembly->patches, err) < 0)
		return -1;
	if (generation_check(g, err) == 0)
		return 0;
	if (!assembly->os && !options_any(assembly->slots) && !*command)
		err->kind = ERROR_INTEGRITY;
	return -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/commands.h"

#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/image.h"
#include "oci-gen/network.h"
#include "oci-gen/options.h"
#include "oci-gen/output_config.h"
#include "oci-gen/pointer.h"
#include "oci-gen/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	const char *document, *template, *image, *output;
	struct strings patches;
	bool no_document, seccomp_only;
	struct option_slot slots[OPTIONS_MAX];
};

static const struct cli_option own_options[] = {
	{ "document", 0, "FILE", OPTION_STRING, offsetof(struct settings, document),
	  "read the container document from FILE; - is standard input" },
	{ "no-document", 0, NULL, OPTION_FLAG, offsetof(struct settings, no_document),
	  "leave standard input alone" },
	{ "template", 0, "FILE", OPTION_STRING, offsetof(struct settings, template),
	  "start from this configuration, not the built-in one" },
	{ "image", 0, "FILE", OPTION_STRING, offsetof(struct settings, image),
	  "what to run by an OCI image configuration; - is standard input" },
	{ "patch", 0, "FILE", OPTION_LIST, offsetof(struct settings, patches),
	  "merge this into the result (RFC 7396); - is standard input" },
	{ "linux-seccomp-only", 0, NULL, OPTION_FLAG, offsetof(struct settings, seccomp_only),
	  "write only the seccomp filter" },
	{ "output", 'o', "FILE|DIR/", OPTION_STRING, offsetof(struct settings, output),
	  "write the configuration there, or make a bundle of it" },
};

enum { OWN_COUNT = sizeof own_options / sizeof *own_options };

/* Hostnames default to as much of the id as people recognise it by. */
enum { SHORT_ID_LENGTH = 12 };

static bool is_stdin(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* How many of the files to read, beside the document, are standard input. */
static int stdin_uses(const struct settings *settings)
{
	int uses = is_stdin(settings->template) + is_stdin(settings->image);

	for (size_t i = 0; i < settings->patches.count; i++)
		uses += is_stdin(settings->patches.items[i]);
	return uses;
}

/* The document, where there is one: asked for, or given on standard input when nothing else says
 * what to start from. */
static int read_document(const struct cli *cli, json_t **document, struct error *err)
{
	const struct settings *settings = cli->settings;
	const char *path = settings->document;

	if (settings->no_document && path)
		return cli_usage(cli, err, "--document and --no-document exclude each other");
	if (stdin_uses(settings) + is_stdin(path) > 1)
		return cli_usage(cli, err, "only one thing can be read from standard input");
	if (!path && !settings->no_document && !settings->image && stdin_uses(settings) == 0 &&
	    !options_given(settings->slots, "/root/path") && source_stdin_given())
		path = "-";
	if (!path)
		return 0;
	if (settings->seccomp_only)
		return cli_usage(cli, err, "--linux-seccomp-only is for use without a document");
	if (settings->output)
		return cli_usage(cli, err,
				 "--output is for use without a document, whose bundle gets the "
				 "configuration");
	*document = is_stdin(path) ? document_read(err) : source_read(path, JSON_DOCUMENT_MAX, err);
	if (*document && !json_is_object(*document))
		return error_set(err, ERROR_INTEGRITY, "%s is not a container document", path);
	return *document ? 0 : -1;
}

static int apply_template(struct generation *g, const char *path, struct error *err)
{
	json_t *config = path ? source_read_config(path, JSON_CONFIG_MAX, err) : NULL;

	if (!path)
		return 0;
	return config ? generation_set_template(g, config, path, err) : -1;
}

static int apply_patches(struct generation *g, const struct strings *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		json_auto_t *patch = source_read_config(paths->items[i], JSON_CONFIG_MAX, err);

		if (!patch)
			return -1;
		if (generation_patch(g, patch, err) < 0)
			return error_prefix(err, "%s", paths->items[i]);
	}
	return 0;
}

static int apply_image(struct generation *g, const struct settings *settings,
		       const json_t *document, struct error *err)
{
	const json_t *in_document = json_path(document, "image", "config", NULL);

	if (settings->image) {
		json_auto_t *image = source_read(settings->image, JSON_CONFIG_MAX, err);

		return image ? image_apply(g, image, err) : -1;
	}
	return in_document ? image_apply(g, in_document, err) : 0;
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
	pointer_set(g->config, "/hostname", json_string(hostname));
	pointer_set(g->config, "/linux/cgroupsPath", json_string(cgroup));
	return 0;
}

static int apply_cri(struct generation *g, const json_t *document, const char *bundle,
		     struct error *err)
{
	const json_t *asked = json_object_get(document, "cri");
	/* a pause container whose root is given by an option can do without */
	bool needs_id = json_object_get(asked, "container") || json_object_get(document, "rootfs");
	const char *id = needs_id ? document_id(document, err) : NULL;
	json_t *cri = id || !needs_id ? cri_read(asked, err) : NULL;

	if (!cri)
		return -1;
	return cri_apply(g, cri, id, bundle, json_is_object(json_object_get(document, "network")),
			 err);
}

static int apply_document(struct generation *g, const struct settings *settings,
			  const json_t *document, struct error *err)
{
	const json_t *network = json_object_get(document, "network");
	bool has_rootfs = json_is_object(json_object_get(document, "rootfs"));
	const char *bundle = json_text(json_object_get(document, "rootfs"), "bundle", NULL);

	if ((has_rootfs || !options_given(settings->slots, "/root/path")) &&
	    apply_rootfs(g, document, err) < 0)
		return -1;
	if (bundle && bundle[0] != '/')
		return error_set(err, ERROR_INTEGRITY,
				 "the document's rootfs.bundle is not an absolute path");
	/* a pause container looks at no file */
	const json_t *cri = json_object_get(document, "cri");
	bool pause = cri && cri_is_pause(cri);
	const char *files = pause ? NULL : bundle;
	if (json_is_object(network) && network_apply(g, network, files, err) < 0)
		return -1;
	/* and there is no image by default whose command it could be */
	if (pause && !settings->image && !json_path(document, "image", "config", NULL))
		json_array_clear(g->command);
	return cri ? apply_cri(g, document, files, err) : 0;
}

/* The command line after the options: what the entrypoint is given, in place of the image's. */
static int apply_operands(struct generation *g, const struct cli *cli, struct error *err)
{
	if (cli->operand_count == 0)
		return 0;
	if (g->args_given)
		return cli_usage(cli, err, "the command is given both by --args and as operands");
	json_decref(g->command);
	g->command = json_array();
	for (int i = 0; i < cli->operand_count; i++) {
		if (generation_check_text(cli->operands[i], cli->operands[i], err) < 0)
			return -1;
		json_array_append_new(g->command, json_string(cli->operands[i]));
	}
	return 0;
}

static int write_bundle(const struct generation *g, const json_t *document, struct error *err)
{
	const json_t *network = json_object_get(document, "network");
	const json_t *pod = json_object_get(g->cri, "pod");
	const char *hostname =
		json_text(g->config, "hostname", json_text(pod, "hostname", "localhost"));
	const char *bundle = document_bundle(document, err);
	cleanup_fd int fd = bundle ? open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!bundle)
		return -1;
	if (fd < 0)
		return error_os(err, "bundle %s", bundle);
	bool pause = g->cri && cri_is_pause(g->cri);
	if ((json_is_object(network) || pod) && !pause &&
	    network_write_files(hostname, json_is_object(network) ? network : NULL,
				json_object_get(pod, "dnsConfig"), fd, err) < 0)
		return error_prefix(err, "bundle %s", bundle);
	if (output_config_at(fd, g->config, err) < 0)
		return error_prefix(err, "bundle %s", bundle);
	return 0;
}

static int output(const struct cli *cli, const struct generation *g, json_t *document,
		  struct error *err)
{
	const struct settings *settings = cli->settings;
	const json_t *config = g->config;

	if (settings->seccomp_only)
		config = pointer_get(config, "/linux/seccomp");
	if (!config)
		return cli_usage(cli, err, "there is no seccomp filter to write");
	if (!document)
		return settings->output ? output_config(settings->output, config, err)
					: output_object(cli, config, err);
	if (json_path(document, "rootfs", "bundle", NULL) && write_bundle(g, document, err) < 0)
		return -1;
	return document_finish(cli, document, "config", (json_t *)config, err);
}

static int generate_run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	json_auto_t *document = NULL;
	cleanup_generation struct generation g;

	generation_start(&g);
	if (read_document(cli, &document, err) < 0 ||
	    apply_template(&g, settings->template, err) < 0 ||
	    apply_image(&g, settings, document, err) < 0)
		return -1;
	if (document && apply_document(&g, settings, document, err) < 0)
		return -1;
	if (options_apply(&g, settings->slots, err) < 0 || apply_operands(&g, cli, err) < 0 ||
	    generation_finish(&g, err) < 0 || apply_patches(&g, &settings->patches, err) < 0 ||
	    generation_check(&g, err) < 0)
		return -1;
	return output(cli, &g, document, err);
}

struct cli_command generate_command(void)
{
	static struct cli_option options[OWN_COUNT + OPTIONS_MAX + 1];

	memcpy(options, own_options, sizeof own_options);
	options[OWN_COUNT + options_fill(options + OWN_COUNT, offsetof(struct settings, slots))] =
		(struct cli_option){ 0 };
	return (struct cli_command){
		.name = "generate",
		.operands = "[COMMAND [ARG]...]",
		.operands_max = -1,
		.summary = "write a configuration from a document, an image, or options",
		.details =
			"With a container document the configuration goes to its bundle and into\n"
			"the document, which is printed; otherwise it is printed itself.\n"
			"The document is read from standard input when that is a pipe or a file\n"
			"and neither --rootfs, --image nor --no-document is given.\n"
			"The first operand ends the options.",
		.options = options,
		.settings_size = sizeof(struct settings),
		.stop_at_operand = true,
		.run = generate_run,
	};
}

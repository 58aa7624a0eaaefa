/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"
#include "lib/document.h"
#include "lib/json.h"
#include "lib/output.h"
#include "oci-gen/assembly.h"
#include "oci-gen/commands.h"
#include "oci-gen/cri.h"
#include "oci-gen/generation.h"
#include "oci-gen/network.h"
#include "oci-gen/output_config.h"
#include "oci-gen/pointer.h"
#include "oci-gen/volumes.h"

#include <fcntl.h>
#include <string.h>

struct settings {
	struct assembly assembly;
	const char *output;
	bool seccomp_only;
};

static const struct cli_option own_options[] = {
	{ "linux-seccomp-only", 0, NULL, OPTION_FLAG, offsetof(struct settings, seccomp_only),
	  "print only the seccomp filter" },
	{ "output", 'o', "FILE|DIR/", OPTION_STRING, offsetof(struct settings, output),
	  "write the configuration to FILE, or create a bundle in DIR/" },
};

enum { OWN_COUNT = sizeof own_options / sizeof *own_options };

/* With a document the configuration goes there, whole. */
static int check_usage(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;

	if (settings->seccomp_only)
		return cli_usage(cli, err, "--linux-seccomp-only is for use without a document");
	if (settings->output)
		return cli_usage(cli, err,
				 "--output is for use without a document, whose bundle gets the "
				 "configuration");
	return 0;
}

static int write_bundle(const struct generation *g, const json_t *document, const char *config,
			struct error *err)
{
	const json_t *network = json_object_get(document, "network");
	const json_t *pod = json_object_get(g->cri, "pod");
	const char *hostname =
		json_text(g->config, "hostname", pod ? cri_hostname(pod) : "localhost");
	cleanup_fd int fd = document_open_bundle(document, err);

	if (fd < 0)
		return -1;
	if (((json_is_object(network) || pod) &&
	     network_write_files(g, hostname, json_is_object(network) ? network : NULL,
				 json_object_get(pod, "dnsConfig"), fd, err) < 0) ||
	    volumes_make(g, fd, err) < 0 ||
	    /* a start waits for this: it is compact, which the runtime reads faster */
	    output_config_at(fd, config, err) < 0)
		return error_prefix(err, "bundle %s", document_bundle(document, err));
	return 0;
}

static int output_document(const struct cli *cli, const struct generation *g, json_t *document,
			   struct error *err)
{
	cleanup_free char *config = generation_text(g);

	if (json_path(document, "rootfs", "bundle", NULL) &&
	    write_bundle(g, document, config, err) < 0)
		return -1;
	return document_finish_text(cli, document, "config", config, err);
}

/* Without a document. */
static int output_alone(const struct cli *cli, struct generation *g, struct error *err)
{
	const struct settings *settings = cli->settings;
	const json_t *config = generation_config(g);

	if (settings->seccomp_only)
		config = pointer_get(config, "/linux/seccomp");
	if (!config)
		return cli_usage(cli, err, "there is no seccomp filter to write");
	return settings->output ? output_config(settings->output, config, err)
				: output_object(cli, config, err);
}

static int generate_run(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	json_auto_t *document = NULL;
	cleanup_free char *bundle = settings->output ? output_bundle(settings->output) : NULL;
	cleanup_generation struct generation g;

	generation_start(&g);
	g.root_from = bundle;
	if (assembly_read_document(cli, &settings->assembly, &document, err) < 0 ||
	    (document && check_usage(cli, err) < 0) ||
	    assembly_make(cli, &settings->assembly, document, cli->operands, &g, err) < 0)
		return -1;
	return document ? output_document(cli, &g, document, err) : output_alone(cli, &g, err);
}

struct cli_command generate_command(void)
{
	static struct cli_option options[OWN_COUNT + ASSEMBLY_OPTIONS_MAX + 1];
	size_t count = assembly_fill(options, offsetof(struct settings, assembly));

	memcpy(options + count, own_options, sizeof own_options);
	options[count + OWN_COUNT] = (struct cli_option){ 0 };
	return (struct cli_command){
		.name = "generate",
		.operands = "[COMMAND [ARG]...]",
		.operands_max = -1,
		.summary = "generate a configuration from a document or options",
		.details =
			"With a container document, the configuration is written to its bundle and "
			"into\n"
			"the document, which is printed; otherwise the configuration is printed.\n"
			"The document is read from standard input if that is a pipe or a file and "
			"neither\n"
			"--rootfs, --image nor --no-document is given.\n"
			"Options must precede the first operand.",
		.options = options,
		.settings_size = sizeof(struct settings),
		.stop_at_operand = true,
		.run = generate_run,
	};
}

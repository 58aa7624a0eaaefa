/* SPDX-License-Identifier: Apache-2.0 */
/* list-tags: the tags of a repository. */
#include "lib/cleanup.h"
#include "lib/output.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/tags.h"

#include <stdlib.h>
#include <string.h>

struct list_tags_settings {
	struct access access;
};

static const struct list_tags_settings defaults = {
	.access = { .tls_verify = true, .retry_times = -1 },
};

#define FIELD(name) offsetof(struct list_tags_settings, name)

static const struct cli_option options[] = {
	ACCESS_OPTIONS,
	{ 0 },
};

static void free_http(struct http **http)
{
	http_free(*http);
}

/* The repository that the operand names: docker://NAME without tag and digest. */
static int parse_operand(const struct cli *cli, struct reference *reference, struct error *err)
{
	const char *operand = cli->operands[0];

	if (strncmp(operand, "docker://", 9) != 0)
		return cli_usage(cli, err, "tags are listed of docker://NAME only");
	if (reference_parse(operand + 9, reference, err) < 0)
		return -1;
	if (reference->tag || reference->digest)
		return cli_usage(cli, err, "\"%s\" names one image, not a repository", operand);
	return 0;
}

static int list_tags_run(const struct cli *cli, struct error *err)
{
	const struct list_tags_settings *settings = cli->settings;
	cleanup_reference struct reference reference = { 0 };
	__attribute__((cleanup(free_http))) struct http *http = NULL;
	cleanup_route struct route route = { 0 };
	struct registry registry = { 0 };
	struct tags tags = { 0 };

	if (parse_operand(cli, &reference, err) < 0 ||
	    registries_route(&reference, false, &route, err) < 0)
		return -1;
	http = http_new(err);
	/* mirrors need not have all tags */
	if (!http || registry_open(http, &settings->access, &route.endpoints[route.count - 1],
				   reference.registry, "pull", &registry, err) < 0)
		return -1;
	tags_start(&tags, &registry);
	int status = tags_wait(&tags, err);
	if (status == 0) {
		cleanup_free char *name = reference_name(&reference);
		json_auto_t *result =
			json_pack("{s:s, s:O}", "Repository", name, "Tags", tags.list);

		status = output_object(cli, result, err);
	}
	tags_free(&tags);
	registry_close(&registry);
	return status;
}

const struct cli_command list_tags_command = {
	.name = "list-tags",
	.operands = "docker://NAME",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "list the tags of a repository",
	.options = options,
	.settings_size = sizeof(struct list_tags_settings),
	.defaults = &defaults,
	.run = list_tags_run,
};

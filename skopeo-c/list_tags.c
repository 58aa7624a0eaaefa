/* SPDX-License-Identifier: Apache-2.0 */
/* list-tags: the tags of a repository, or the names of the images in a place. */
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/template.h"
#include "skopeo-c/transport.h"

#include <string.h>

struct list_tags_settings {
	struct access access;
	const char *format;
};

static const struct list_tags_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct list_tags_settings, name)

static const struct cli_option options[] = {
	{ "format", 'f', "TEMPLATE", OPTION_STRING, FIELD(format),
	  "print a template: {{.Repository}}, {{json .Tags}}" },
	ACCESS_OPTIONS,
	{ 0 },
};

/* A repository without tag and digest. */
static int parse_name(const struct cli *cli, const char *name, struct reference *reference,
		      struct error *err)
{
	if (reference_parse(name, reference, err) < 0)
		return -1;
	if (reference->tag || reference->digest)
		return cli_usage(cli, err, "\"%s\" names one image, not a repository", name);
	return 0;
}

static json_t *list_repository(const struct cli *cli, const char *text, struct http *http,
			       struct error *err)
{
	const struct list_tags_settings *settings = cli->settings;
	cleanup_reference struct reference reference = { 0 };

	if (parse_name(cli, text, &reference, err) < 0)
		return NULL;
	json_t *tags = tags_list(&reference, &settings->access, http, err);
	cleanup_free char *name = reference_name(&reference);
	return tags ? json_pack("{s:s, s:o}", "Repository", name, "Tags", tags) : NULL;
}

/* Of docker://NAME; of a bare name in the first registry that has such a repository. */
static json_t *list_registry(const struct cli *cli, struct error *err)
{
	const char *operand = cli->operands[0];
	cleanup_strings struct strings names = { 0 };
	cleanup_http struct http *http = NULL;
	json_t *result = NULL;

	if (transport_class_of(operand))
		strings_add(&names, operand + strlen(transport_docker.prefix));
	else if (registries_expand(operand, &names, err) < 0)
		return NULL;
	http = http_new(err);
	for (size_t i = 0; http && !result && i < names.count && !cli_interrupted(); i++) {
		if (i > 0)
			log_message(LOG_LEVEL_INFO, "%s", err->message);
		result = list_repository(cli, names.items[i], http, err);
	}
	return result;
}

static json_t *list_place(const struct cli *cli, struct error *err)
{
	const struct transport_settings settings = { .cli = cli };
	json_auto_t *names = json_array();

	if (transport_list(cli->operands[0], &settings, names, err) < 0)
		return NULL;
	return json_pack("{s:O}", "Tags", names);
}

static int list_tags_run(const struct cli *cli, struct error *err)
{
	const struct list_tags_settings *settings = cli->settings;

	if (template_check(settings->format, err) < 0)
		return -1;
	json_auto_t *result = transport_names_registry(cli->operands[0]) ? list_registry(cli, err)
									 : list_place(cli, err);
	return result ? template_output(cli, settings->format, result, NULL, err) : -1;
}

const struct cli_command list_tags_command = {
	.name = "list-tags",
	.operands = "PLACE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "list the tags of a repository, or the images in a place",
	.details =
		"PLACE is docker://NAME, oci:PATH, oci-archive:PATH, docker-archive:PATH,\n"
		"docker-daemon:, containers-storage:, store:, or a bare name, which may be short.",
	.options = options,
	.settings_size = sizeof(struct list_tags_settings),
	.defaults = &defaults,
	.offer = transport_offer,
	.run = list_tags_run,
};

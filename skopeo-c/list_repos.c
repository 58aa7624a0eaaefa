/* SPDX-License-Identifier: Apache-2.0 */
/* list-repos: the repositories of a registry, as far as it tells. */
#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/reference.h"
#include "skopeo-c/commands.h"
#include "skopeo-c/credentials.h"
#include "skopeo-c/tags.h"
#include "skopeo-c/template.h"

#include <string.h>

struct list_repos_settings {
	struct access access;
	const char *format;
};

static const struct list_repos_settings defaults = {
	.access = ACCESS_DEFAULTS,
};

#define FIELD(name) offsetof(struct list_repos_settings, name)

static const struct cli_option options[] = {
	{ "format", 'f', "TEMPLATE", OPTION_STRING, FIELD(format),
	  "print a template: {{.Registry}}, {{json .Repositories}}" },
	ACCESS_OPTIONS,
	{ 0 },
};

/* The host in [docker://]HOST[:PORT]; the caller frees it. */
static char *parse_operand(const struct cli *cli, struct error *err)
{
	const char *operand = cli->operands[0];
	const char *host = operand + (strncmp(operand, "docker://", 9) == 0 ? 9 : 0);
	size_t length = strcspn(host, "/");
	/* the grammar of references has no registries without a repository */
	cleanup_free char *text = xasprintf("%.*s/any", (int)length, host);
	cleanup_reference struct reference reference = { 0 };
	struct error ignored;

	if ((host[length] == '\0' || strcmp(host + length, "/") == 0) &&
	    reference_parse(text, &reference, &ignored) == 0 &&
	    strncmp(reference.registry, host, length) == 0)
		return steal_ptr(&reference.registry);
	cli_usage(cli, err, "\"%s\" is not [docker://]HOST[:PORT]", operand);
	return NULL;
}

static json_t *list(const char *host, struct registry *registry, struct error *err)
{
	cleanup_tags struct tags tags = { 0 };

	strings_add(&registry->scopes, "registry:catalog:*");
	tags_start_catalog(&tags, registry);
	if (tags_wait(&tags, err) < 0)
		return NULL;
	return json_pack("{s:s, s:O}", "Registry", host, "Repositories", tags.list);
}

/* The caller owns the result. */
static json_t *ask(const struct cli *cli, struct error *err)
{
	const struct list_repos_settings *settings = cli->settings;
	cleanup_http struct http *http = NULL;
	cleanup_free char *host = parse_operand(cli, err);
	char no_repository[] = "";
	struct endpoint endpoint = { .registry = host, .repository = no_repository };
	struct registry registry = { 0 };

	if (!host || registries_judge(host, &endpoint.insecure, err) < 0)
		return NULL;
	http = http_new(err);
	if (!http ||
	    registry_open(http, &settings->access, &endpoint, host, NULL, &registry, err) < 0)
		return NULL;
	json_t *result = list(host, &registry, err);
	registry_close(&registry);
	return result;
}

static int list_repos_run(const struct cli *cli, struct error *err)
{
	const struct list_repos_settings *settings = cli->settings;

	if (template_check(settings->format, err) < 0)
		return -1;
	json_auto_t *result = ask(cli, err);
	return result ? template_output(cli, settings->format, result, NULL, err) : -1;
}

const struct cli_command list_repos_command = {
	.name = "list-repos",
	.operands = "[docker://]HOST[:PORT]",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "list the repositories of a registry",
	.details = "Most public registries do not support this.",
	.options = options,
	.settings_size = sizeof(struct list_repos_settings),
	.defaults = &defaults,
	.run = list_repos_run,
};

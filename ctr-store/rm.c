/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/remove_container.h"
#include "ctr-store/remove_image.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/store.h"

#include <stddef.h>

struct settings {
	bool all, force, only_container, only_image;
};

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct settings, all),
	  "an image with all its names, not only the given one" },
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct settings, force),
	  "also what is mounted; what is not there is no error" },
	{ "container", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_container),
	  "NAME is a container" },
	{ "image", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_image),
	  "NAME is an image" },
	{ 0 },
};

static int remove_one_container(const struct cli *cli, const struct store *store,
				const json_t *container, struct error *err)
{
	const struct settings *settings = cli->settings;

	if (remove_container(store, container, settings->force, err) < 0)
		return -1;
	json_auto_t *result = json_pack("{s:s}", "container", json_text(container, "id", ""));
	return output_object(cli, result, err);
}

/* Which of the two the name means; both at once is an error. */
static int remove_one(const struct cli *cli, const struct store *store, const char *name,
		      struct error *err)
{
	const struct settings *settings = cli->settings;
	const struct removal removal = { .name = name,
					 .all = settings->all,
					 .force = settings->force };
	json_auto_t *container = settings->only_image ? NULL : container_find(store, name, err);

	if (!settings->only_image && !container && err->kind != ERROR_NOT_FOUND)
		return -1;
	if (container && !settings->only_container && !container_has_id(container, name) &&
	    remove_image_exists(store, name)) {
		error_set(err, ERROR_USAGE, "\"%s\" means a container and an image", name);
		return error_hint(err, "say which with --container or --image");
	}
	if (container)
		return remove_one_container(cli, store, container, err);
	if (settings->only_container)
		return -1;
	json_auto_t *result = remove_image(store, &removal, err);
	if (!result && err->kind == ERROR_NOT_FOUND && path_is_id(name) && !settings->only_image) {
		error_set(err, ERROR_NOT_FOUND, "no container or image \"%s\"", name);
		return error_subject(err, name);
	}
	return result ? output_object(cli, result, err) : -1;
}

static int rm_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };

	if (settings->only_container && settings->only_image)
		return cli_usage(cli, err, "--container and --image exclude each other");
	if (store_open(cli, &store, err) < 0)
		return -1;
	for (int i = 0; i < cli->operand_count; i++)
		if (remove_one(cli, &store, cli->operands[i], err) < 0 &&
		    !(settings->force && err->kind == ERROR_NOT_FOUND))
			return -1;
	return 0;
}

const struct cli_command command_rm = {
	.name = "rm",
	.operands = "NAME...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "remove containers and images",
	.details = "A container is unmounted first; a running one is not removed. An image\n"
		   "loses the given name, and goes with its last one; given by its id or\n"
		   "digest it goes with all. What no other image needs goes with it.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = rm_verb,
};

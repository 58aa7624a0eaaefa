/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/container.h"
#include "ctr-store/image.h"
#include "ctr-store/remove_container.h"
#include "ctr-store/remove_image.h"
#include "lib/cleanup.h"
#include "lib/failures.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/path.h"
#include "lib/store.h"

#include <stddef.h>
#include <string.h>

struct settings {
	bool all, force, only_container, only_image, untagged;
};

static const struct cli_option options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct settings, all),
	  "remove the image with all its names" },
	{ "force", 'f', NULL, OPTION_FLAG, offsetof(struct settings, force),
	  "also remove what is in use; ignore what does not exist" },
	{ "container", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_container),
	  "the operands are containers" },
	{ "image", 0, NULL, OPTION_FLAG, offsetof(struct settings, only_image),
	  "the operands are images" },
	{ "untagged", 0, NULL, OPTION_FLAG, offsetof(struct settings, untagged),
	  "remove all untagged images that are not in use" },
	{ 0 },
};

/* Images that are named one after the other are removed together. */
struct session {
	const struct cli *cli;
	const struct settings *settings;
	struct store store;
	struct image_source images;
	struct removals *removals; /* or NULL */
	struct failures failures;
};

static void session_free(struct session *session)
{
	removals_free(session->removals);
	image_source_free(&session->images);
	store_close(&session->store);
}

static void finish_images(struct session *session)
{
	struct error err;

	if (session->removals && removals_finish(session->cli, session->removals, &err) < 0)
		failures_add(&session->failures, &err);
	removals_free(session->removals);
	session->removals = NULL;
}

static int remove_one_container(struct session *session, const char *id, struct error *err)
{
	/* others have a container's lock while they wait for the gate */
	finish_images(session);
	if (remove_container(&session->store, id, session->settings->force, err) < 0)
		return -1;
	json_auto_t *result = json_pack("{s:s}", "container", id);
	return output_object(session->cli, result, err);
}

static int remove_one_image(struct session *session, const char *name, struct error *err)
{
	const struct settings *settings = session->settings;
	const struct removal removal = { .name = name,
					 .all = settings->all,
					 .force = settings->force };

	if (!session->removals)
		session->removals = removals_new(&session->store, err);
	if (!session->removals)
		return -1;
	if (removals_add(session->removals, &removal, err) == 0)
		return 0;
	if (err->kind == ERROR_NOT_FOUND && path_is_id(name) && !settings->only_image) {
		error_set(err, ERROR_NOT_FOUND, "no container or image \"%s\"", name);
		return error_subject(err, name);
	}
	return -1;
}

/* A name that means a container and an image is an error; an id is the container's. */
static int refuse_both(struct session *session, const char *id, const char *name, struct error *err)
{
	if (session->settings->only_container || strcmp(id, name) == 0 ||
	    !image_source_has(&session->store, &session->images, name))
		return 0;
	error_set(err, ERROR_USAGE, "\"%s\" means a container and an image", name);
	return error_hint(err, "say which with --container or --image");
}

static int remove_named_container(struct session *session, const char *id, const char *name,
				  struct error *err)
{
	return refuse_both(session, id, name, err) < 0 ? -1
						       : remove_one_container(session, id, err);
}

/* No container is found whole by that name, for the reason in *err. */
static int remove_damaged_or_image(struct session *session, const char *name, struct error *err)
{
	const struct settings *settings = session->settings;
	cleanup_free char *damaged =
		settings->only_image ? NULL : container_find_damaged(&session->store, name);

	if (damaged && settings->force)
		return remove_named_container(session, damaged, name, err);
	if (!settings->only_image && err->kind != ERROR_NOT_FOUND)
		return damaged ? error_hint(err, "--force removes it all the same") : -1;
	return settings->only_container ? -1 : remove_one_image(session, name, err);
}

static int remove_one(struct session *session, const char *name, struct error *err)
{
	const struct settings *settings = session->settings;
	json_auto_t *container =
		settings->only_image ? NULL : container_find(&session->store, name, err);

	return container
		       ? remove_named_container(session, json_text(container, "id", ""), name, err)
		       : remove_damaged_or_image(session, name, err);
}

static int check_settings(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;

	if (settings->only_container && settings->only_image)
		return cli_usage(cli, err, "--container and --image exclude each other");
	if (!settings->untagged)
		return cli->operand_count > 0 ? 0 : cli_usage(cli, err, "missing operand: NAME...");
	if (cli->operand_count > 0)
		return cli_usage(cli, err, "--untagged takes no name");
	if (settings->only_container)
		return cli_usage(cli, err, "--container and --untagged exclude each other");
	if (settings->force)
		return cli_usage(cli, err, "--untagged leaves what is in use: not with --force");
	return 0;
}

static int remove_untagged(struct session *session, struct error *err)
{
	session->removals = removals_new(&session->store, err);
	return session->removals ? removals_add_untagged(session->removals, err) : -1;
}

static void remove_named(struct session *session, struct error *err)
{
	const struct cli *cli = session->cli;

	for (int i = 0; i < cli->operand_count && failures_go_on(&session->failures); i++) {
		if (remove_one(session, cli->operands[i], err) < 0 &&
		    !(session->settings->force && err->kind == ERROR_NOT_FOUND))
			failures_add(&session->failures, err);
	}
}

static int rm_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	__attribute__((cleanup(session_free))) struct session session = { .cli = cli,
									  .settings = settings,
									  .failures.cli = cli };

	if (check_settings(cli, err) < 0 || store_open_images(cli, NULL, &session.store, err) < 0)
		return -1;
	if (!settings->untagged)
		remove_named(&session, err);
	else if (remove_untagged(&session, err) < 0)
		failures_add(&session.failures, err);
	/* what came before a failure is done all the same */
	finish_images(&session);
	return failures_end(&session.failures, err);
}

const struct cli_command command_rm = {
	.name = "rm",
	.operands = "[CONTAINER|IMAGE...]",
	.operands_max = -1,
	.summary = "remove containers and images",
	.details =
		"Containers are unmounted first; running ones are not removed. An image loses the\n"
		"given name, and is removed with its last name; if given by id or digest, it is\n"
		"removed with all names. Blobs and layers that are no longer used go with it.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = rm_verb,
};

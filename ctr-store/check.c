/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/check.h"

#include "ctr-store/backend.h"
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "lib/output.h"
#include "lib/store.h"

#include <stddef.h>

struct settings {
	bool deep, repair;
};

static const struct cli_option options[] = {
	{ "deep", 0, NULL, OPTION_FLAG, offsetof(struct settings, deep),
	  "unpack every layer again and compare all files" },
	{ "repair", 0, NULL, OPTION_FLAG, offsetof(struct settings, repair),
	  "repair from blobs, or remove what can be pulled again" },
	{ 0 },
};

static const struct output_column columns[] = {
	{ "OBJECT", "object", COLUMN_TEXT },
	{ "ID", "id", COLUMN_DIGEST },
	{ "PROBLEM", "problem", COLUMN_TEXT },
	{ "REPAIR", "repair", COLUMN_TEXT },
	{ 0 },
};

static int run_checks(struct check *check, struct error *err)
{
	if (image_layout(check->store, &check->layout, err) < 0)
		return -1;
	if (check_blobs(check, err) < 0 || check_images(check, err) < 0 ||
	    check_layers(check, err) < 0)
		return -1;
	return check_containers(check, err);
}

static int check_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	json_auto_t *findings = json_array();
	json_auto_t *damaged = json_object();
	enum backend ignored; /* only that the settings can be read */
	struct check check = { .store = &store,
			       .layout = { .fd = -1 },
			       .deep = settings->deep,
			       .repair = settings->repair,
			       .findings = findings,
			       .damaged = damaged };

	if (store_open_images(cli, NULL, &store, err) < 0 || store_complete(&store, err) < 0 ||
	    backend_choose(&store, NULL, &ignored, err) < 0)
		return -1;
	int status = run_checks(&check, err);
	layout_close(&check.layout);
	if (status < 0 || output_list(cli, findings, columns, err) < 0)
		return -1;
	if (check.remaining == 0)
		return 0;
	error_set(err, ERROR_INTEGRITY, "the store is damaged: %zu finding%s", check.remaining,
		  check.remaining == 1 ? "" : "s");
	if (!settings->repair)
		return error_hint(err, "ctr-store check --repair");
	return error_hint(err, check.lost == check.remaining
				       ? "ctr-store rm --force removes a container that is damaged"
				       : "pull the images again");
}

const struct cli_command command_check = {
	.name = "check",
	.operands = "",
	.summary = "verify the integrity of the store",
	.details = "Prints one object for each problem, and exits with 7 if there are any; with\n"
		   "--repair only if some could not be repaired.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = check_verb,
};

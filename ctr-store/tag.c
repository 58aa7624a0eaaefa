/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "ctr-store/remove_image.h"
#include "lib/cleanup.h"
#include "lib/failures.h"
#include "lib/output.h"
#include "lib/staging.h"
#include "lib/store.h"

static int tag_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_layout struct layout layout = { .fd = -1 };
	cleanup_free char *name = image_new_name(cli->operands[1], err);

	if (!name || store_open_images(cli, NULL, &store, err) < 0 ||
	    image_layout(&store, &layout, err) < 0)
		return -1;
	/* from the look-up to the new entry nobody may remove the image */
	cleanup_fd int gate = staging_gate(&store, LOCK_SHARED, err);
	if (gate < 0)
		return -1;
	json_auto_t *entry = layout_resolve(&layout, cli->operands[0], err);
	if (!entry)
		return err->kind == ERROR_NOT_FOUND && store_complete(&store, err) == 0
			       ? error_hint(err, "see ctr-store images")
			       : -1;
	if (layout_tag(&layout, name, entry, err) < 0)
		return -1;
	json_auto_t *row = catalog_find(&store, name, err);
	/* who reads it may take his time */
	cleanup_fd_p(&gate);
	return row ? output_object(cli, row, err) : -1;
}

const struct cli_command command_tag = {
	.name = "tag",
	.operands = "IMAGE NAME",
	.operands_min = 2,
	.operands_max = 2,
	.summary = "give an image another name",
	.details = "If another image has the name, it loses it. Prints the image as listed by\n"
		   "images.",
	.run = tag_verb,
};

static int untag_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	struct failures failures = { .cli = cli };

	if (store_open_images(cli, NULL, &store, err) < 0)
		return -1;
	cleanup_removals struct removals *removals = removals_new(&store, err);
	if (!removals)
		return -1;
	for (int i = 0; i < cli->operand_count && failures_go_on(&failures); i++) {
		const struct removal removal = { .name = cli->operands[i], .keep = true };

		if (removals_add(removals, &removal, err) < 0)
			failures_add(&failures, err);
	}
	/* what came before a failure is done all the same */
	if (removals_finish(cli, removals, err) < 0)
		failures_add(&failures, err);
	return failures_end(&failures, err);
}

const struct cli_command command_untag = {
	.name = "untag",
	.operands = "IMAGE...",
	.operands_min = 1,
	.operands_max = -1,
	.summary = "remove names from images, keeping the images",
	.run = untag_verb,
};

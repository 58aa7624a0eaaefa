/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "lib/output.h"
#include "lib/store.h"

#include <stddef.h>

struct settings {
	struct strings additional;
};

static const struct cli_option options[] = {
	{ "additional-store", 0, "DIR", OPTION_LIST, offsetof(struct settings, additional),
	  "also use images and layers of the read-only store in DIR" },
	{ 0 },
};

static const struct output_column columns[] = {
	{ "NAME", "names", COLUMN_TEXT },      { "IMAGE ID", "id", COLUMN_DIGEST },
	{ "SIZE", "size", COLUMN_SIZE },       { "LAYERS", "layers", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT }, { 0 },
};

/* The rows of the images that the operands name. */
static json_t *select_rows(const struct store *store, char *const *names, struct error *err)
{
	cleanup_image_source struct image_source source = { .index = NULL };
	json_auto_t *selected = json_array();

	for (; *names; names++) {
		cleanup_image struct image image = { 0 };

		if (image_source_find(store, &source, *names, &image, err) < 0)
			return NULL;
		json_t *row = catalog_row(store, image.id, *names, err);
		if (!row)
			return NULL;
		json_array_append_new(selected, row);
	}
	return json_incref(selected);
}

static int images_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };

	if (store_open_images(cli, &settings->additional, &store, err) < 0)
		return -1;
	if (cli->operand_count == 0 && !output_is_for_people(cli))
		return catalog_print_lines(&store, err);
	json_auto_t *rows = cli->operand_count ? select_rows(&store, cli->operands, err)
					       : catalog_rows(&store, err);
	return rows ? output_list(cli, rows, columns, err) : -1;
}

const struct cli_command command_images = {
	.name = "images",
	.operands = "[IMAGE...]",
	.operands_max = -1,
	.lists = "IMAGE",
	.summary = "list images",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = images_verb,
};

static int image_verb(const struct cli *cli, struct error *err)
{
	const struct settings *settings = cli->settings;
	cleanup_store struct store store = { 0 };
	cleanup_image struct image image = { 0 };

	if (store_open_images(cli, &settings->additional, &store, err) < 0 ||
	    image_find(&store, cli->operands[0], &image, err) < 0)
		return -1;
	json_auto_t *row = catalog_row(&store, image.id, cli->operands[0], err);
	if (!row)
		return -1;
	json_object_set(row, "image", image.json);
	return output_object(cli, row, err);
}

const struct cli_command command_image = {
	.name = "image",
	.operands = "IMAGE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "show everything known about an image",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = image_verb,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/catalog.h"
#include "ctr-store/commands.h"
#include "ctr-store/image.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/store.h"

static const struct output_column columns[] = {
	{ "NAME", "names", COLUMN_TEXT },      { "IMAGE ID", "id", COLUMN_DIGEST },
	{ "SIZE", "size", COLUMN_SIZE },       { "LAYERS", "layers", COLUMN_TEXT },
	{ "CREATED", "created", COLUMN_TEXT }, { 0 },
};

/* The rows of the images that the operands name. */
static json_t *select_rows(const struct store *store, const json_t *rows, char *const *names,
			   struct error *err)
{
	json_auto_t *selected = json_array();

	for (; *names; names++) {
		cleanup_image struct image image = { 0 };

		if (image_find(store, *names, &image, err) < 0)
			return NULL;
		json_t *row = catalog_find(rows, image.id);
		if (!row) {
			error_set(err, ERROR_NOT_FOUND, "image %s was removed meanwhile", *names);
			return NULL;
		}
		json_array_append(selected, row);
	}
	return json_incref(selected);
}

static int images_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };

	if (store_open(cli, &store, err) < 0)
		return -1;
	json_auto_t *rows = catalog_rows(&store, err);
	if (!rows)
		return -1;
	if (cli->operand_count == 0)
		return output_list(cli, rows, columns, err);
	json_auto_t *selected = select_rows(&store, rows, cli->operands, err);
	return selected ? output_list(cli, selected, columns, err) : -1;
}

const struct cli_command command_images = {
	.name = "images",
	.operands = "[NAME...]",
	.operands_max = -1,
	.summary = "list images",
	.run = images_verb,
};

static int image_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_image struct image image = { 0 };

	if (store_open(cli, &store, err) < 0 ||
	    image_find(&store, cli->operands[0], &image, err) < 0)
		return -1;
	json_auto_t *rows = catalog_rows(&store, err);
	json_t *row = rows ? catalog_find(rows, image.id) : NULL;
	if (!rows)
		return -1;
	if (!row)
		return error_set(err, ERROR_NOT_FOUND, "image %s was removed meanwhile",
				 cli->operands[0]);
	json_object_set(row, "image", image.json);
	return output_object(cli, row, err);
}

const struct cli_command command_image = {
	.name = "image",
	.operands = "NAME",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "show all there is to know about an image",
	.run = image_verb,
};

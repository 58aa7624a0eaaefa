/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/commands.h"
#include "ctr-store/layer.h"
#include "ctr-store/layer_list.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/store.h"

#include <errno.h>

static const struct output_column columns[] = {
	{ "DIFF ID", "diffId", COLUMN_DIGEST },
	{ "SIZE", "size", COLUMN_SIZE },
	{ "ENTRIES", "entries", COLUMN_TEXT },
	{ "IMAGES", "images", COLUMN_TEXT },
	{ 0 },
};

/* layer.json, its directory's name and who uses it. */
static json_t *make_row(json_t *facts, const char *id, json_t *users)
{
	json_t *images = json_object_get(users, id);
	json_t *row = json_copy(facts);

	json_object_set_new(row, "id", json_string(id));
	json_object_set_new(row, "images", images ? json_incref(images) : json_array());
	return row;
}

static int layers_verb(const struct cli *cli, struct error *err)
{
	cleanup_store struct store store = { 0 };
	cleanup_strings struct strings ids = { 0 };
	json_auto_t *rows = json_array();

	if (store_open(cli, &store, err) < 0 || layer_list_ids(&store, &ids, err) < 0)
		return -1;
	json_auto_t *users = layer_list_users(&store, err);
	if (!users)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		struct error why;
		json_auto_t *facts = layer_read(&store, ids.items[i], &why);

		if (json_is_object(facts))
			json_array_append_new(rows, make_row(facts, ids.items[i], users));
		else if (facts || why.os != ENOENT)
			log_message(LOG_LEVEL_WARN, "layer %s is not shown: %s", ids.items[i],
				    facts ? "layer.json is no object" : why.message);
	}
	return output_list(cli, rows, columns, err);
}

const struct cli_command command_layers = {
	.name = "layers",
	.operands = "",
	.summary = "list unpacked layers, and the images that use them",
	.run = layers_verb,
};

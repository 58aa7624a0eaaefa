/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/container_facts.h"

#include "ctr-store/layer.h"
#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/store.h"

#include <errno.h>
#include <string.h>

const char *container_label(const json_t *container)
{
	return json_text(container, "name", json_text(container, "id", "?"));
}

bool container_has_id(const json_t *container, const char *text)
{
	return strcmp(json_text(container, "id", ""), text) == 0;
}

/* Files that were mixed up must not lead to what another container has. */
static json_t *parse_facts(const char *id, const char *text, size_t length, struct error *err)
{
	cleanup_free char *name = xasprintf("%s/rootfs.json", id);
	cleanup_strings struct strings layers = { 0 };
	json_auto_t *facts = json_parse(text, length, name, err);

	if (!facts)
		return NULL;
	if (!container_has_id(facts, id)) {
		error_set(err, ERROR_INTEGRITY, "%s: it is not of this container", name);
		return NULL;
	}
	const json_t *ids = json_object_get(facts, "layers");
	if (!json_is_array(ids)) {
		error_set(err, ERROR_INTEGRITY, "%s: no list of layers", name);
		return NULL;
	}
	return layer_parse_ids(ids, &layers, err) < 0 ? NULL : json_incref(facts);
}

json_t *container_read(const struct store *store, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/rootfs.json", id);
	size_t length;
	cleanup_free char *text =
		file_read_at(store->containers_fd, path, JSON_CONFIG_MAX, &length, err);

	/* a power cut may leave it so: that is no container, as when there is none */
	if (text && length == 0) {
		errno = ENOENT;
		error_os(err, "%s", path);
		return NULL;
	}
	return text ? parse_facts(id, text, length, err) : NULL;
}

int container_list_ids(const struct store *store, struct strings *ids, struct error *err)
{
	cleanup_strings struct strings names = { 0 };

	if (directory_names(store->containers_fd, ".", &names) < 0)
		return error_os(err, "%s/containers", store->root);
	for (size_t i = 0; i < names.count; i++)
		if (path_is_id(names.items[i]))
			strings_add(ids, names.items[i]);
	return 0;
}

json_t *container_list(const struct store *store, struct error *err)
{
	json_auto_t *list = json_array();
	cleanup_strings struct strings ids = { 0 };

	if (container_list_ids(store, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		struct error why;
		json_t *facts = container_read(store, ids.items[i], &why);

		if (facts) {
			json_array_append_new(list, facts);
		} else if (why.os == 0) {
			log_message(LOG_LEVEL_WARN, "container %s: %s", ids.items[i], why.message);
		} else if (why.os != ENOENT && why.os != ENOTDIR) {
			*err = why;
			error_prefix(err, "container %s", ids.items[i]);
			return NULL;
		}
	}
	return json_incref(list);
}

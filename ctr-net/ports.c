/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/ports.h"

#include "ctr-net/ns.h"
#include "ctr-net/publish.h"
#include "ctr-net/record.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/store.h"

#include <string.h>

/* The first of the mappings that one of `taken` stands in the way of; borrowed. */
static const json_t *find_conflict(const json_t *mappings, const json_t *taken)
{
	const json_t *mapping, *other;
	size_t i, j;

	json_array_foreach (mappings, i, mapping) {
		json_array_foreach (taken, j, other) {
			if (publish_conflicts(mapping, other))
				return mapping;
		}
	}
	return NULL;
}

/* Whether the attachments of `id` leave the mappings free. A namespace that is gone holds none. */
static int check_container(const struct record *record, const json_t *mappings, const char *id,
			   struct error *err)
{
	struct error unreadable;
	json_auto_t *attachments = record_peek(record->store, id, &unreadable);
	const json_t *attachment;
	size_t i;

	if (!attachments)
		log_message(LOG_LEVEL_WARN, "passing over %s", unreadable.message);
	json_array_foreach (attachments, i, attachment) {
		const json_t *conflict = find_conflict(
			mappings, json_path(attachment, "capabilities", "portMappings", NULL));

		if (!conflict || ns_look(json_text(attachment, "netns", ""),
					 json_text(attachment, "netnsIdentity", NULL)) == 0)
			continue;
		error_set(err, ERROR_IN_USE,
			  "port %lld/%s of the host is published by container %s",
			  (long long)json_integer_value(json_object_get(conflict, "hostPort")),
			  json_text(conflict, "protocol", "tcp"), id);
		error_subject(err, id);
		return error_hint(err, "ctr-net del --id %s takes it off its networks", id);
	}
	return 0;
}

int ports_reserve(const struct record *record, const json_t *capabilities, struct error *err)
{
	const json_t *mappings = json_object_get(capabilities, "portMappings");
	cleanup_fd int lock =
		lock_take(record->store->locks_fd, "host", "ports", LOCK_EXCLUSIVE, true, err);
	cleanup_strings struct strings ids = { 0 };

	if (lock < 0 || record_list(record->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++)
		if (check_container(record, mappings, ids.items[i], err) < 0)
			return -1;
	return steal_fd(&lock);
}

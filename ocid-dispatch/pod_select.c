/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-dispatch/pod_select.h"

#include "lib/cleanup.h"
#include "lib/json.h"

#include <string.h>

bool labels_match(const json_t *labels, const json_t *selector)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)selector, key, value) {
		const json_t *label = json_object_get(labels, key);

		if (!label || !json_equal(label, value))
			return false;
	}
	return true;
}

const char *pod_state_name(enum pod_state state)
{
	return state == POD_READY ? "SANDBOX_READY" : "SANDBOX_NOTREADY";
}

static bool passes(const struct records *records, const json_t *document, const json_t *filter)
{
	const json_t *state = json_object_get(filter, "state");
	enum pod_state now = pod_state(records, document);

	if (now == POD_BEING_MADE ||
	    !labels_match(json_path(document, "cri", "pod", "labels", NULL),
			  json_object_get(filter, "labelSelector")))
		return false;
	return !state ||
	       strcmp(json_text(state, "state", "SANDBOX_READY"), pod_state_name(now)) == 0;
}

int pod_choose(const struct records *records, const char *text, struct strings *ids,
	       struct error *err)
{
	struct error why = { 0 };

	if (!*text)
		return pod_ids(records, ids, err);
	cleanup_free char *id = pod_find(records, text, &why);
	if (id)
		strings_add(ids, id);
	if (id || why.kind == ERROR_NOT_FOUND || why.kind == ERROR_USAGE)
		return 0;
	*err = why;
	return -1;
}

json_t *pod_select(const struct records *records, const json_t *filter, struct error *err)
{
	cleanup_strings struct strings ids = { 0 };
	json_auto_t *list = json_array();

	if (pod_choose(records, json_text(filter, "id", ""), &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.count; i++) {
		json_auto_t *document = pod_read(records, ids.items[i], err);

		if (!document && !records_leave_out("pod", ids.items[i], err))
			return NULL;
		if (document && passes(records, document, filter))
			json_array_append(list, document);
	}
	return json_incref(list);
}

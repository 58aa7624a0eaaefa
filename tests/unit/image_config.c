/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image_config.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "tests/unit/tap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7396, appendix A */
static const struct {
	const char *target, *patch, *result;
} merges[] = {
	{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
	{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
	{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
	{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
	{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
	{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
	{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
	{ "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}" },
	{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
	{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
};

static const struct {
	const char *config;
	bool good;
} configs[] = {
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\"}", true },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":null}", true },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Cmd\":null,\"Env\":[]}}",
	  true },
	{ "{\"os\":\"\",\"architecture\":\"amd64\"}", false },
	{ "{\"os\":\"linux\"}", false },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":1}", false },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":{}}}", false },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Volumes\":[]}}", false },
};

int main(void)
{
	struct error err;

	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		json_auto_t *target = json_loads(merges[i].target, 0, NULL);
		json_auto_t *patch = json_loads(merges[i].patch, 0, NULL);
		json_auto_t *merged = json_merge_patch(target, patch);
		cleanup_free char *text = json_compact(merged);
		cleanup_free char *before = json_compact(target);

		is(text, merges[i].result, "%s", merges[i].patch);
		is(before, merges[i].target, "the target does not change");
	}
	for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
		json_auto_t *config = json_loads(configs[i].config, 0, NULL);

		ok((image_config_check(config, &err) == 0) == configs[i].good, "%s",
		   configs[i].config);
	}
	return tap_done();
}

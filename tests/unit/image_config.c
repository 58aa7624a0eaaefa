/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/image_config.h"

#include "tests/unit/tap.h"

#include <stdbool.h>

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

	for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
		json_auto_t *config = json_loads(configs[i].config, 0, NULL);

		ok((image_config_check(config, &err) == 0) == configs[i].good, "%s",
		   configs[i].config);
	}
	return tap_done();
}

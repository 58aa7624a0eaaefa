/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_config.h"

#include "lib/json.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define PLUGIN "\"plugins\": [{\"type\": \"x\"}]"

static const struct {
	const char *text;
	enum error_kind refused; /* 0: taken */
	const char *name, *version;
	size_t plugins;
} cases[] = {
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", " PLUGIN "}", 0, "n", "1.0.0", 1 },
	{ "{\"cniVersion\": \"0.3.0\", \"name\": \"n\", \"type\": \"x\"}", 0, "n", "0.3.0", 1 },
	{ "{\"cniVersion\": \"1.1.0\", \"name\": \"A.b_c-9\", " PLUGIN "}", 0, "A.b_c-9", "1.1.0",
	  1 },
	{ "{\"cniVersion\": \"1.1.0\", \"name\": \"n\"}", 0, "n", "1.1.0", 0 },
	{ "{\"cniVersions\": [\"0.4.0\", \"1.0.0\"], \"name\": \"n\", " PLUGIN "}", 0, "n", "1.0.0",
	  1 },
	{ "{\"cniVersion\": \"2.0.0\", \"cniVersions\": [\"0.3.1\", \"9.9.9\"], \"name\": "
	  "\"n\", " PLUGIN "}",
	  0, "n", "0.3.1", 1 },
	{ "{\"cniVersions\": [\"0.3.1\", 7], \"name\": \"n\", " PLUGIN "}", ERROR_INTEGRITY, 0, 0,
	  0 },
	{ "{\"cniVersions\": [\"0.3.1\", \"1\"], \"name\": \"n\", " PLUGIN "}", ERROR_INTEGRITY, 0,
	  0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"disableGC\": \"False\", \"name\": \"n\", " PLUGIN "}", 0,
	  "n", "1.1.0", 1 },
	{ "{\"cniVersion\": \"1.1.0\", \"disableGC\": \"no\", \"name\": \"n\", " PLUGIN "}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"disableCheck\": 1, \"name\": \"n\", " PLUGIN "}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"loadOnlyInlinedPlugins\": null, \"name\": \"n\", " PLUGIN
	  "}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"name\": \"n\", \"type\": \"x\", \"ipam\": {\"type\": "
	  "\"a/b\"}}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"name\": \"n\", \"type\": \"x\", \"ipam\": {\"type\": 1}}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.0\", \"name\": \"n\", \"type\": \"x\", \"ipam\": {}}", 0, "n",
	  "1.1.0", 1 },
	{ "{\"cniVersion\": \"0.2.0\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.1.1\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0.0\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0,
	  0 },
	{ "{\"cniVersion\": \"1.00000.0\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0,
	  0 },
	{ "{\"cniVersion\": \"\", \"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0, 0 },
	{ "{\"name\": \"n\", " PLUGIN "}", ERROR_UNSUPPORTED, 0, 0, 0 },
	{ "{\"cniVersion\": 1, \"name\": \"n\", " PLUGIN "}", ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", " PLUGIN "}", ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"\", " PLUGIN "}", ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"../n\", " PLUGIN "}", ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"plugins\": {}}", ERROR_INTEGRITY, 0, 0,
	  0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"plugins\": [[]]}", ERROR_INTEGRITY, 0, 0,
	  0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"plugins\": [{\"type\": \"a\\\\b\"}]}",
	  ERROR_INTEGRITY, 0, 0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"type\": \"/bin/sh\"}", ERROR_INTEGRITY, 0,
	  0, 0 },
	{ "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"type\": \"..\"}", ERROR_INTEGRITY, 0, 0,
	  0 },
	{ "[]", ERROR_INTEGRITY, 0, 0, 0 },
	{ "", ERROR_INTEGRITY, 0, 0, 0 },
};

static void test_parse(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		json_auto_t *config =
			cni_config_parse(cases[i].text, strlen(cases[i].text), "f", &err);

		if (!config) {
			ok(err.kind == cases[i].refused, "refused with kind %d: %s",
			   (int)cases[i].refused, cases[i].text);
			continue;
		}
		is(cni_config_name(config), cases[i].name, "name: %s", cases[i].text);
		is(json_text(config, "cniVersion", NULL), cases[i].version, "version: %s",
		   cases[i].text);
		ok(cni_config_plugin_count(config) == cases[i].plugins, "plugins: %s",
		   cases[i].text);
	}
}

static void test_versions(void)
{
	static const char text[] = "{\"cniVersion\": \"0.4.0\", \"name\": \"n\", \"type\": \"x\"}";
	struct error err;
	json_auto_t *config = cni_config_parse(text, strlen(text), "f", &err);

	ok(cni_config_speaks(config, "0.4.0"), "0.4.0 speaks 0.4.0");
	ok(cni_config_speaks(config, "0.3.1"), "0.4.0 speaks 0.3.1");
	ok(!cni_config_speaks(config, "1.0.0"), "0.4.0 does not speak 1.0.0");
	ok(!cni_config_is_open(config), "a single plugin takes no others from files");
}

static void test_request(void)
{
	static const char text[] =
		"{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"plugins\": [{\"type\": \"x\", "
		"\"name\": \"other\", \"kept\": {\"a\": [1.5]}, \"cni.dev/a\": 1, \"cni.dev/b\": "
		"2, "
		"\"prevResult\": 1, \"capabilities\": {\"mac\": true, \"ips\": false}}]}";
	struct error err;
	json_auto_t *config = cni_config_parse(text, strlen(text), "f", &err);
	json_auto_t *before = json_deep_copy(config);
	json_auto_t *capabilities =
		json_pack("{s:s, s:[s], s:i}", "mac", "m", "ips", "i", "dns", 1);
	json_auto_t *result = json_pack("{s:s}", "cniVersion", "1.0.0");
	json_auto_t *with = cni_config_request(config, 0, capabilities, result);
	json_auto_t *without = cni_config_request(config, 0, NULL, NULL);
	char *with_text = json_compact(with), *without_text = json_compact(without);

	is(with_text,
	   "{\"cniVersion\":\"1.0.0\",\"kept\":{\"a\":[1.5]},\"name\":\"n\","
	   "\"prevResult\":{\"cniVersion\":\"1.0.0\"},\"runtimeConfig\":{\"mac\":\"m\"},\"type\":"
	   "\"x\"}",
	   "a request with everything");
	is(without_text,
	   "{\"cniVersion\":\"1.0.0\",\"kept\":{\"a\":[1.5]},\"name\":\"n\",\"type\":\"x\"}",
	   "a request with nothing");
	ok(json_equal(config, before), "the configuration itself is not changed");
	ok(cni_config_declares(config, "mac") && !cni_config_declares(config, "ips") &&
		   !cni_config_declares(config, "dns"),
	   "only a capability that is true is declared");
	free(with_text);
	free(without_text);
}

int main(void)
{
	test_parse();
	test_versions();
	test_request();
	return tap_done();
}

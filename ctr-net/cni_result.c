/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_result.h"

#include "ctr-net/cni_version.h"
#include "ctr-net/subnet.h"
#include "lib/json.h"

#include <string.h>

static bool is_text(const json_t *value)
{
	return !value || json_is_null(value) || json_is_string(value);
}

static bool is_subnet_address(const json_t *value)
{
	const char *text = json_string_value(value);
	struct subnet subnet;
	struct error ignored;

	return text && subnet_parse_address(text, &subnet, &ignored) == 0;
}

/* Whether it is an array of objects whose values of that key are right, or nothing. */
static bool all_have(const json_t *list, const char *key, bool (*is_right)(const json_t *value))
{
	const json_t *item;
	size_t i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return false;
	json_array_foreach (list, i, item) {
		if (!json_is_object(item) || !is_right(json_object_get(item, key)))
			return false;
	}
	return true;
}

bool cni_result_is_valid(const json_t *result)
{
	const json_t *interfaces = json_object_get(result, "interfaces"),
		     *ips = json_object_get(result, "ips"),
		     *routes = json_object_get(result, "routes"),
		     *dns = json_object_get(result, "dns");

	return json_is_object(result) && all_have(interfaces, "name", is_text) &&
	       all_have(interfaces, "mac", is_text) && all_have(interfaces, "sandbox", is_text) &&
	       all_have(ips, "address", is_subnet_address) && all_have(ips, "gateway", is_text) &&
	       all_have(routes, "dst", is_subnet_address) && all_have(routes, "gw", is_text) &&
	       (!dns || json_is_null(dns) || json_is_object(dns));
}

static bool knows_families_by_address(const char *version)
{
	return cni_version_number(version) >= cni_version_number("1.0.0");
}

static void to_old(json_t *result)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(result, "ips"), i, item) {
		bool v6 = strchr(json_text(item, "address", ""), ':') != NULL;

		json_object_set_new(item, "version", json_string(v6 ? "6" : "4"));
	}
	json_array_foreach (json_object_get(result, "interfaces"), i, item) {
		json_object_del(item, "mtu");
		json_object_del(item, "socketPath");
		json_object_del(item, "pciID");
	}
}

static void to_new(json_t *result)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(result, "ips"), i, item) {
		json_object_del(item, "version");
	}
}

int cni_result_convert(json_t *result, const char *version, struct error *err)
{
	const char *own = json_text(result, "cniVersion", "");

	if (strcmp(own, version) == 0)
		return 0;
	if (!cni_version_is_supported(own) || !cni_version_is_supported(version)) {
		error_set(err, ERROR_UNSUPPORTED, "CNI version \"%s\" cannot be read as \"%s\"",
			  own, version);
		return error_hint(err, "versions %s to %s", CNI_VERSION_MIN, CNI_VERSION_MAX);
	}
	if (knows_families_by_address(own) && !knows_families_by_address(version))
		to_old(result);
	else if (!knows_families_by_address(own) && knows_families_by_address(version))
		to_new(result);
	json_object_set_new(result, "cniVersion", json_string(version));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cni_result.h"

#include "cni_version.h"

#include "lib/json.h"

#include <string.h>

/* An array of objects, or nothing. */
static bool is_object_list(const json_t *list)
{
	const json_t *item;
	size_t i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return false;
	json_array_foreach (list, i, item) {
		if (!json_is_object(item))
			return false;
	}
	return true;
}

bool cni_result_is_valid(const json_t *result)
{
	const json_t *dns = json_object_get(result, "dns");

	return json_is_object(result) && is_object_list(json_object_get(result, "interfaces")) &&
	       is_object_list(json_object_get(result, "ips")) &&
	       is_object_list(json_object_get(result, "routes")) &&
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/versions.h"

#include "oci-gen/pointer.h"

#include <stdlib.h>
#include <string.h>

const struct version_member version_members[] = {
	{ "/domainname", "1.1.0" },
	{ "/mounts/*/uidMappings", "1.1.0" },
	{ "/mounts/*/gidMappings", "1.1.0" },
	{ "/process/scheduler", "1.1.0" },
	{ "/process/ioPriority", "1.1.0" },
	{ "/linux/timeOffsets", "1.1.0" },
	{ "/linux/resources/cpu/burst", "1.1.0" },
	{ "/linux/resources/cpu/idle", "1.1.0" },
	{ "/linux/resources/memory/checkBeforeUpdate", "1.1.0" },
	{ "/linux/resources/unified", "1.1.0" },
	{ "/linux/seccomp/listenerPath", "1.1.0" },
	{ "/linux/seccomp/listenerMetadata", "1.1.0" },
	{ "/linux/intelRdt/enableCMT", "1.1.0" },
	{ "/linux/intelRdt/enableMBM", "1.1.0" },
	{ "/process/execCPUAffinity", "1.2.1" },
	{ "/linux/netDevices", "1.3.0" },
	{ "/linux/memoryPolicy", "1.3.0" },
	{ "/linux/intelRdt/schemata", "1.3.0" },
	{ "/linux/intelRdt/enableMonitoring", "1.3.0" },
	{ "/vm/hwConfig", "1.3.0" },
	{ "/freebsd", "1.3.0" },
	{ NULL, NULL },
};

bool version_is_used(const json_t *config, const struct version_member *member)
{
	const char *star = strchr(member->pointer, '*');
	char list[64] = "";
	json_t *item;
	size_t i;

	if (!star)
		return pointer_get(config, member->pointer) != NULL;
	memcpy(list, member->pointer, (size_t)(star - member->pointer) - 1);
	json_array_foreach (pointer_get(config, list), i, item) {
		if (pointer_get(item, star + 1))
			return true;
	}
	return false;
}

const char *version_of(const char *pointer)
{
	for (const struct version_member *m = version_members; m->pointer; m++) {
		size_t length = strlen(m->pointer);

		if (strncmp(pointer, m->pointer, length) == 0 &&
		    (!pointer[length] || pointer[length] == '/'))
			return m->version;
	}
	return NULL;
}

int version_compare(const char *a, const char *b)
{
	for (int part = 0; part < 3; part++) {
		char *end_a, *end_b;
		unsigned long left = strtoul(a, &end_a, 10), right = strtoul(b, &end_b, 10);

		if (left != right)
			return left < right ? -1 : 1;
		a = *end_a == '.' ? end_a + 1 : "";
		b = *end_b == '.' ? end_b + 1 : "";
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-net/cni_version.h"

enum { VERSION_PART_MAX = 999 };

int cni_version_number(const char *text)
{
	int number = 0;

	for (int part = 0; part < 3; part++) {
		int value = 0, digits = 0;

		for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
			value = value * 10 + (*text - '0');
		if (digits == 0 || value > VERSION_PART_MAX)
			return -1;
		number = number * (VERSION_PART_MAX + 1) + value;
		if (part < 2 && *text++ != '.')
			return -1;
	}
	return *text ? -1 : number;
}

bool cni_version_is_supported(const char *text)
{
	int number = cni_version_number(text);

	return number >= cni_version_number(CNI_VERSION_MIN) &&
	       number <= cni_version_number(CNI_VERSION_MAX);
}

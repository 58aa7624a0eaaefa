/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/boot.h"

#include "lib/file.h"

#include <fcntl.h>
#include <string.h>

enum { BOOT_ID_MAX = 64 };

char *boot_id(struct error *err)
{
	size_t length;
	char *id = file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, &length,
				err);

	if (id)
		id[strcspn(id, "\n")] = '\0';
	return id;
}

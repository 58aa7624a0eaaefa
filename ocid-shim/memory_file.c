/* SPDX-License-Identifier: Apache-2.0 */
#include "ocid-shim/memory_file.h"

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_file(const char *name, const json_t *content, struct error *err)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC);
	cleanup_free char *text = json_compact(content);

	if (fd < 0)
		return error_os(err, "memory file \"%s\"", name);
	if (file_write_fd(fd, text, strlen(text), name, err) < 0)
		return -1;
	lseek(fd, 0, SEEK_SET);
	return steal_fd(&fd);
}

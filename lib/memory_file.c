/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/memory_file.h"

#include "lib/cleanup.h"
#include "lib/file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_file(const char *name, const char *text, struct error *err)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return error_os(err, "a file in memory");
	if (file_write_fd(fd, text, strlen(text), "a file in memory", err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_os(err, "a file in memory");
	return steal_fd(&fd);
}

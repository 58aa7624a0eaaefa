/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/source.h"

#include "lib/json.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool source_stdin_given(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

json_t *source_read(const char *path, size_t max, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return json_read_fd(STDIN_FILENO, max, "standard input", err);
	return json_read_at(AT_FDCWD, path, max, err);
}

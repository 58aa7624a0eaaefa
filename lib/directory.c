/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/directory.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

DIR *directory_open(int dir_fd, const char *path)
{
	int follow = dir_fd == AT_FDCWD ? 0 : O_NOFOLLOW;
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (directory)
		steal_fd(&fd);
	return directory;
}

const struct dirent *directory_next(DIR *directory)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(directory);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

int directory_names(int dir_fd, const char *path, struct strings *names)
{
	cleanup_dir DIR *directory = directory_open(dir_fd, path);
	cleanup_strings struct strings found = { 0 };
	const struct dirent *entry;

	if (!directory)
		return -1;
	while ((entry = directory_next(directory)))
		strings_add(&found, entry->d_name);
	if (errno)
		return -1;
	strings_sort(&found);
	*names = found;
	found = (struct strings){ 0 };
	return 0;
}

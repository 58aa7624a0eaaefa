/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a user named for our output: it appears, or replaces another, when it is whole. */
#pragma once
#include "lib/error.h"

#include <sys/types.h>

struct output_file {
	int fd; /* to write to */
	int dir_fd;
	char *name;	 /* in that directory */
	char *temporary; /* its name so far; NULL: none */
};

#define OUTPUT_FILE_NONE                                                                           \
	(struct output_file)                                                                       \
	{                                                                                          \
		.fd = -1, .dir_fd = -1                                                             \
	}

/* The mode is that of a new file, but for the umask. A symbolic link is replaced, not followed. */
int output_file_open(const char *path, mode_t mode, struct output_file *file, struct error *err);

/* Give it owner and mode of the file that it replaces, if it does, and if that cannot be a trap. */
int output_file_inherit(struct output_file *file, struct error *err);

/* It is whole: to the disk, and under its name. */
int output_file_publish(struct output_file *file, struct error *err);

/* What was not published goes. */
void output_file_close(struct output_file *file);
#define cleanup_output_file __attribute__((cleanup(output_file_close)))

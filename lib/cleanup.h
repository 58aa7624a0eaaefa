/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources that release themselves at the end of their scope. Declare a resource with its
 * attribute on the line that obtains it; hand it out with steal_ptr() or steal_fd(). Every cleanup
 * accepts the empty value (NULL, -1) and preserves errno. A variable with a cleanup never holds a
 * borrowed reference.
 */
#pragma once
#include <dirent.h>
#include <stdio.h>

void cleanup_free_p(void *pointer_to_pointer);
void cleanup_fd_p(int *fd); /* and makes it -1 */
void cleanup_file_p(FILE **file);
void cleanup_dir_p(DIR **dir);

#define cleanup_free __attribute__((cleanup(cleanup_free_p)))
#define cleanup_fd   __attribute__((cleanup(cleanup_fd_p)))
#define cleanup_file __attribute__((cleanup(cleanup_file_p)))
#define cleanup_dir  __attribute__((cleanup(cleanup_dir_p)))

/* Take the value out of a variable with a cleanup. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define steal_ptr(pointer_to_variable)                                                             \
	({                                                                                         \
		__typeof__(pointer_to_variable) stolen_from = (pointer_to_variable);               \
		__typeof__(*stolen_from) stolen = *stolen_from;                                    \
		*stolen_from = NULL;                                                               \
		stolen;                                                                            \
	})

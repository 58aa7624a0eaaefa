/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/trash.h"

#include "lib/error.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <stdio.h>

int trash_take(struct trash *trash, int dir_fd, const char *name)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	if (renameat(dir_fd, name, trash->store->tmp_fd, unique) < 0)
		return -1;
	strings_add(&trash->names, unique);
	return 0;
}

void trash_empty(struct trash *trash)
{
	struct error ignored; /* gc finishes what fails here */
	int saved = errno;

	for (size_t i = 0; i < trash->names.count; i++)
		path_remove_tree(trash->store->tmp_fd, trash->names.items[i], &ignored);
	strings_free(&trash->names);
	errno = saved;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/trash.h"

#include "lib/error.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/random.h"
#include "lib/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void trash_add(struct trash *trash, const char *name, const struct trash_tally *tally)
{
	size_t count = trash->names.count;

	trash->tallies = xgrow(trash->tallies, count, sizeof *trash->tallies);
	trash->tallies[count] = tally ? *tally : (struct trash_tally){ 0 };
	strings_add(&trash->names, name);
}

int trash_take(struct trash *trash, int dir_fd, const char *name, const struct trash_tally *tally)
{
	char unique[RANDOM_NAME_SIZE];

	random_name(unique);
	if (renameat(dir_fd, name, trash->store->tmp_fd, unique) < 0)
		return -1;
	trash_add(trash, unique, tally);
	return 0;
}

static void take_back(const struct trash_tally *tally)
{
	if (tally->count)
		(*tally->count)--;
	if (tally->bytes)
		*tally->bytes -= tally->size;
}

void trash_empty(struct trash *trash)
{
	int saved = errno;
	size_t left = 0;
	struct error why; /* gc finishes what fails here */

	for (size_t i = 0; i < trash->names.count; i++) {
		struct error err;

		if (path_remove_tree(trash->store->tmp_fd, trash->names.items[i], &err) == 0 ||
		    err.kind != ERROR_DENIED)
			continue;
		take_back(&trash->tallies[i]);
		why = err;
		left++;
	}
	if (left > 0)
		log_message(LOG_LEVEL_WARN, "files of %zu removed objects are left in %s/tmp: %s%s",
			    left, trash->store->root, why.message,
			    geteuid() == 0 ? "" : " (ctr-store unshare ctr-store gc takes them)");
	strings_free(&trash->names);
	free(trash->tallies);
	trash->tallies = NULL;
	errno = saved;
}

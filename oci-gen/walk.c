/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-gen/walk.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

FTS *walk_open(const char *path, int options, struct error *err)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | options, by_name);

	if (!tree)
		error_os(err, "%s", path);
	return tree;
}

int walk_next(FTS *tree, FTSENT **entry, struct error *err)
{
	errno = 0;
	*entry = fts_read(tree);
	if (!*entry)
		return errno ? error_os(err, "cannot read a directory") : 0;
	if ((*entry)->fts_info != FTS_DNR && (*entry)->fts_info != FTS_ERR)
		return 1;
	/* gone since its name was read */
	if ((*entry)->fts_errno == ENOENT)
		return walk_next(tree, entry, err);
	errno = (*entry)->fts_errno;
	return error_os(err, "%s", (*entry)->fts_path);
}

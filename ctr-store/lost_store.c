/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/lost_store.h"

#include "lib/cleanup.h"
#include "lib/memory.h"

#include <string.h>
#include <unistd.h>

bool lost_store_has(const char *layer)
{
	return layer[0] == '/' && access(layer, F_OK) < 0;
}

/* ROOT of ROOT/layers/ID/diff, or of podman's ROOT/DRIVER/ID/diff. */
static char *root_of(const char *layer)
{
	size_t length = strlen(layer);

	for (int i = 0; i < 3; i++)
		while (length > 1 && layer[--length] != '/')
			;
	return xstrndup(layer, length);
}

int lost_store_error(const char *layer, struct error *err)
{
	cleanup_free char *root = root_of(layer);

	error_set(err, ERROR_FAILED, "the store %s, which has a layer of it, %s", root,
		  access(root, F_OK) < 0 ? "is not there" : "has lost that layer");
	error_subject(err, layer);
	return error_hint(err, "bring the store back, or remove what was made of it");
}

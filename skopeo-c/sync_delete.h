/* SPDX-License-Identifier: Apache-2.0 */
/* What is extraneous at the destination: tags of repositories that were synced as a whole which no
 * image of the list has; not what signs and refers to images that stay (prune_plan.h). */
#pragma once
#include "skopeo-c/sync_list.h"

struct cli;
struct copy_request;

/* To be called before anything is copied: no repository of which tags would be deleted is a source,
 * which is ERROR_USAGE. */
int sync_delete_check(const struct sync_list *list, struct error *err);

/* Delete it, or with dry_run only find it. Rows {destination, status: "deleted" or "would-delete"}
 * are appended to `rows`; what cannot be deleted gets a row with an error and is noted in
 * `failures`. A repository of which nothing is wanted is left alone: that is more likely a mistake.
 */
int sync_delete(const struct cli *cli, const struct sync_list *list,
		const struct copy_request *request, struct http *http, bool dry_run, json_t *rows,
		struct sync_failures *failures, struct error *err);

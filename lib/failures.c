/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/failures.h"

#include "lib/cli.h"

void failures_add(struct failures *failures, const struct error *err)
{
	if (failures->count++ == 0)
		failures->kind = err->kind;
	else
		cli_tell(failures->cli, &failures->last);
	if (failures->kind != err->kind)
		failures->kind = ERROR_FAILED;
	failures->last = *err;
}

bool failures_go_on(struct failures *failures)
{
	struct error err;

	if (!cli_interrupted())
		return true;
	cli_fail_interrupted(&err);
	failures_add(failures, &err);
	return false;
}

int failures_end(const struct failures *failures, struct error *err)
{
	if (failures->count == 0)
		return 0;
	*err = failures->last;
	err->kind = failures->kind;
	return -1;
}

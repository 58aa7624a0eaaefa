/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/failures.h"

#include "lib/log.h"

static void tell(const struct error *err)
{
	bool has_hint = err->hint[0];

	log_message(LOG_LEVEL_ERROR, "%s%s%s%s", err->message, has_hint ? " (" : "", err->hint,
		    has_hint ? ")" : "");
}

void failures_add(struct failures *failures, const struct error *err)
{
	if (failures->count++ == 0)
		failures->kind = err->kind;
	else
		tell(&failures->last);
	if (failures->kind != err->kind)
		failures->kind = ERROR_FAILED;
	failures->last = *err;
}

int failures_end(const struct failures *failures, struct error *err)
{
	if (failures->count == 0)
		return 0;
	*err = failures->last;
	err->kind = failures->kind;
	return -1;
}

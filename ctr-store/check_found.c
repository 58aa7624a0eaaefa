/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/check.h"

#include <string.h>

void check_found(struct check *check, const char *object, const char *id, const char *problem,
		 const char *repair)
{
	json_array_append_new(check->findings,
			      json_pack("{s:s, s:s, s:s, s:s*}", "object", object, "id", id,
					"problem", problem, "repair", repair));
	check->remaining += repair == NULL;
	check->lost += repair == NULL && strcmp(object, "container") == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Options about the seccomp filter. They change a filter that is made last, when the capabilities
 * are known: setters keep what is asked, and seccomp_edit() does it. */
#include "oci-gen/generation.h"
#include "oci-gen/seccomp.h"
#include "oci-gen/setters.h"

int set_seccomp(const struct setting *s)
{
	if (!*s->value)
		return error_set(s->err, ERROR_USAGE, "the value is empty");
	s->g->seccomp = s->value;
	return 0;
}

int edit_seccomp(const struct setting *s)
{
	if (seccomp_check_edit(s->rule->member, s->value, s->err) < 0)
		return -1;
	json_array_append_new(s->g->seccomp_edits, json_pack("[s, s]", s->rule->member, s->value));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the members of a configuration mean. */
#pragma once

/* One line about the member at a pattern (leaves_pattern()), or about what it is in; NULL where the
 * specification has no such member. *spec is where the specification describes it. */
const char *meaning_of(const char *pattern, const char **spec);

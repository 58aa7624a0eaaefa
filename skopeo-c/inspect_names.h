/* SPDX-License-Identifier: Apache-2.0 */
/* The names that inspect is given: its operands, and the lines of standard input for "-". */
#pragma once
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_LINE_SIZE = 4096 }; /* with its end */

struct inspect_names {
	char **operands; /* those that are left, up to NULL */
	bool at_input, input_ended;
	char line[NAME_LINE_SIZE + 1], buffer[NAME_LINE_SIZE]; /* of standard input */
	size_t used;
};

/* The next name, valid up to the next call: 1. 0 with `name` NULL: there are no more, or, unless
 * may_wait, nobody has written one yet. */
int inspect_names_next(struct inspect_names *names, bool may_wait, const char **name,
		       struct error *err);

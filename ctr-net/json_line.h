/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a JSON text a value stands: parsers keep values, and people edit lines. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The line (from 1) of the member or element that a JSON Pointer leads to, as in "/plugins/0/type";
 * keys with escapes are not found. Of what is missing, the line where the innermost value around it
 * begins; *found tells. The text must be valid JSON. */
int json_line_of(const char *text, size_t length, const char *pointer, bool *found);

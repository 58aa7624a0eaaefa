/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside, for a terminal. */
#pragma once
#include <stddef.h>

/* Bytes of the control character that the text begins with, 0 where it begins with none: ASCII's,
 * and those that terminals take in UTF-8, U+0080 to U+009F (ECMA-48, 5.3). */
size_t printable_control_length(const char *text);

/* Put "?" in the place of every byte of them. */
void printable_hide_controls(char *text);

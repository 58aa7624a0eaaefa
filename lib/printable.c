/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/printable.h"

#include <string.h>

size_t printable_control_length(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0)
		return 2;
	return (bytes[0] > 0 && bytes[0] < 0x20) || bytes[0] == 0x7f;
}

void printable_hide_controls(char *text)
{
	size_t length;

	for (; *text; text += length ? length : 1) {
		length = printable_control_length(text);
		memset(text, '?', length);
	}
}

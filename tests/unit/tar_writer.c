/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tar_writer.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The length of a record counts its own digits: around 10, 100 and 1000 it needs one more. */
static void test_lengths(void)
{
	for (size_t length = 0; length < 1100; length++) {
		struct tar_records records = { 0 };
		cleanup_free char *value = xcalloc(1, length + 1);
		char *end;

		memset(value, 'x', length);
		tar_add_record(&records, "k", value, length);
		if (strtoul(records.bytes, &end, 10) != records.length || *end != ' ' ||
		    records.bytes[records.length - 1] != '\n') {
			ok(false, "the length of a record");
			tar_records_free(&records);
			return;
		}
		tar_records_free(&records);
	}
	ok(true, "the length of a record");
}

int main(void)
{
	static const char expected[] = "9 path=a\n27 SCHILY.xattr.user.x=\0=\n\n";
	struct tar_records records = { 0 };

	test_lengths();
	tar_add_record(&records, "path", "a", 1);
	tar_add_record(&records, "SCHILY.xattr.user.x", "\0=\n", 3);
	ok(records.length == sizeof expected - 1 &&
		   memcmp(records.bytes, expected, records.length) == 0,
	   "records stand one after the other, their values may be any bytes");
	tar_records_free(&records);
	return tap_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ctr-store/mountinfo.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static const char text[] =
	"21 1 0:19 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
	"30 21 0:40 / /mnt/a ro,nosuid - overlay ocid:0000000000000001 ro,lowerdir=/x\n"
	"31 30 0:41 / /mnt/a rw shared:7 master:2 - overlay ocid:0000000000000002 rw\n"
	"32 21 0:42 / /mnt/with\\040space\\134and\\011tab rw shared:9 - overlay "
	"ocid:0000000000000003 rw\n"
	"33 21 0:43 / /mnt/docker rw - overlay overlay rw\n"
	"34 21 0:44 / /mnt/fake rw - tmpfs ocid:0000000000000004 rw\n"
	"35 21 0:4 mnt:[4026532208] /run/ns rw - nsfs nsfs rw\n"
	"36 21 0:4 net:[4026531840] /run/net rw - nsfs nsfs rw\n"
	"37 21 0:45 / /mnt/odd\\9 rw - overlay ocid:0000000000000005 rw\n"
	"nonsense\n"
	"38 21 0:46 / /cut rw - overlay\n"
	"39 21 0:46 / /no-dash rw shared:1\n"
	"\n"
	"40 21 0:46 / /end rw - overlay ocid:0000000000000006";

int main(void)
{
	cleanup_free char *copy = xstrdup(text);
	cleanup_mount_table struct mount_table table = { 0 };

	mount_table_parse(copy, &table);
	ok(table.count == 5, "only overlays of ours are kept");
	ok(mount_table_has(&table, "ocid:0000000000000001", "/mnt/a"), "by source and target");
	ok(!mount_table_has(&table, "ocid:0000000000000001", "/mnt/b"), "not on another target");
	ok(mount_table_has(&table, "ocid:0000000000000001", NULL), "by source alone");
	ok(!mount_table_has(&table, "ocid:0000000000000004", NULL), "not one that is no overlay");
	is(mount_table_on(&table, "/mnt/a"), "ocid:0000000000000002", "the upper of two");
	is(mount_table_on(&table, "/mnt/with space\\and\ttab"), "ocid:0000000000000003",
	   "escapes in the target");
	is(mount_table_on(&table, "/mnt/odd\\9"), "ocid:0000000000000005", "what is no escape");
	is(mount_table_on(&table, "/end"), "ocid:0000000000000006",
	   "the last line without its end");
	is(mount_table_on(&table, "/mnt/docker"), NULL, "somebody else's overlay");
	ok(table.pinned_count == 1 && table.pinned[0] == 4026532208,
	   "a mount namespace that is kept");
	ok(mount_namespace(0) > 0, "our own mount namespace has a number");
	ok(mount_namespace(1 << 30) == 0, "that of no process has none");
	return tap_done();
}

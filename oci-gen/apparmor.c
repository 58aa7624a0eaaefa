/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/apparmor.h"
#include "oci-gen/commands.h"

#include <stdio.h>
#include <unistd.h>

/* Of old parsers that know no ABI, this is not there. */
#define ABI_FILE "/etc/apparmor.d/abi/3.0"

/* Everything, but what reaches from the container into the host: its kernel's settings, and file
 * systems that are mounted anew without what keeps them out. Links below /proc and /sys are
 * followed before a rule is looked for, so /proc/self is a number; a pattern can only refuse
 * letters, hence the spelling out of what is not refused, /proc/sys/kernel/shm* and /sys/fs/cgroup.
 */
static const char profile[] =
	"# AppArmor profile of containers that have none of their own, by oci-gen apparmor.\n"
	"include <tunables/global>\n"
	"\n"
	"profile " APPARMOR_DEFAULT " flags=(attach_disconnected, mediate_deleted) {\n"
	"  include <abstractions/base>\n"
	"\n"
	"  capability,\n"
	"  file,\n"
	"  network,\n"
	"  deny network alg,\n"
	"  umount,\n"
	"\n"
	"  # who starts and stops containers, and those in the same one\n"
	"  signal (receive) peer=unconfined,\n"
	"  signal (receive) peer={runc,crun,ocid*},\n"
	"  signal (send, receive) peer=" APPARMOR_DEFAULT ",\n"
	"  ptrace (trace, tracedby, read, readby) peer=" APPARMOR_DEFAULT ",\n"
	"\n"
	"  deny mount,\n"
	"\n"
	"  deny @{PROC}/* w,\n"
	"  deny @{PROC}/[^1-9s/]** w,\n"
	"  deny @{PROC}/{s[^y/],sy[^s/],sys[^/]}** w,\n"
	"  deny @{PROC}/sys/[^k/]** w,\n"
	"  deny @{PROC}/sys/kernel/{[^s/],s[^h/],sh[^m/]}** w,\n"
	"  deny @{PROC}/{kcore,sysrq-trigger} rwklx,\n"
	"\n"
	"  deny /sys/[^f/]** wklx,\n"
	"  deny /sys/f[^s/]** wklx,\n"
	"  deny /sys/fs/[^c/]** wklx,\n"
	"  deny /sys/fs/c[^g/]** wklx,\n"
	"  deny /sys/devices/virtual/powercap/** rwklx,\n"
	"  deny /sys/firmware/** rwklx,\n"
	"  deny /sys/kernel/security/** rwklx,\n"
	"}\n";

static int apparmor_run(const struct cli *cli, struct error *err)
{
	(void)cli;
	(void)err;
	if (access(ABI_FILE, F_OK) == 0)
		fputs("abi <abi/3.0>,\n", stdout);
	fputs(profile, stdout); /* cli_main() checks stdout */
	return 0;
}

struct cli_command apparmor_command(void)
{
	return (struct cli_command){
		.name = "apparmor",
		.summary = "print the default AppArmor profile",
		.details = "It is named " APPARMOR_DEFAULT ". To load it:\n"
			   "oci-gen apparmor | apparmor_parser --replace",
		.run = apparmor_run,
	};
}

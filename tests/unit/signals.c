/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/signals.h"

#include "lib/cleanup.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static void check_name(int number, const char *expected)
{
	cleanup_free char *name = signal_name(number);

	is(name, expected, "the name of %d", number);
}

int main(void)
{
	ok(signal_number("9") == 9 && signal_number("KILL") == 9 && signal_number("sigkill") == 9,
	   "KILL");
	ok(signal_number("SIGRTMIN") == 34 && signal_number("RTMIN+30") == 64 &&
		   signal_number("RTMAX") == 64 && signal_number("RTMAX-30") == 34,
	   "real-time signals");
	ok(!signal_number("") && !signal_number("SIG") && !signal_number("0") &&
		   !signal_number("65") && !signal_number("-9") && !signal_number("9x") &&
		   !signal_number("RTMIN+31") && !signal_number("RTMIN+") &&
		   !signal_number("RTMINX"),
	   "no signals");
	ok(signal_number("SIGIO") == 29 && signal_number("poll") == 29 &&
		   signal_number("SIGCLD") == 17 && signal_number("SIGIOT") == 6,
	   "other names of the same");

	check_name(1, "HUP");
	check_name(31, "SYS");
	check_name(34, "RTMIN");
	check_name(49, "RTMIN+15");
	check_name(50, "RTMAX-14");
	check_name(64, "RTMAX");
	for (int number = 1; number < 65; number++) {
		cleanup_free char *name = signal_name(number);

		ok(name ? signal_number(name) == number : number == 32 || number == 33,
		   "the number of the name of %d", number);
	}
	ok(!signal_name(0) && !signal_name(-1) && !signal_name(65), "no names");
	return tap_done();
}

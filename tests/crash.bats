# SPDX-License-Identifier: Apache-2.0
# `make crash` harms every verb at each of its system calls; here it is some of them.

load helpers

@test "crash: killed or failed at some of its system calls, every verb leaves a whole store" {
	TMPDIR=$BATS_TEST_TMPDIR TOOL_TIMEOUT=300 tool "$TESTS/crash" --step 127
	[[ ${lines[-1]} == *' passed, 0 failed' ]]
}

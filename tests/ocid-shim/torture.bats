#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# OCID_TORTURE: how many containers (default 40); OCID_TORTURE_SEED repeats a run.

load common

@test "torture: of many containers every exit code is right, and every line of output accounted for" {
	bundle torture true
	TOOL_TIMEOUT=3000 tool /usr/bin/python3 "$TESTS/ocid-shim/torture.py" "${OCID_TORTURE:-40}" "$BUNDLE"
	shim list
	[ -z "$output" ]
	nothing_left
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "kill: TERM is the default, and the container may catch it" {
	bundle term 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	shim run --bundle "$BUNDLE" term
	wait_for 5 grep -q ready "$BUNDLE/log"
	shim kill term
	[ "$(code term)" -eq 5 ]
	shim rm term
}

@test "kill: signals by name and number; the code is 128 + signal" {
	# the first process of a pid namespace ignores what it does not handle, but KILL; in the
	# host's namespace it does not
	bundle sig 'exec sleep 100' '.linux.namespaces |= map(select(.type != "pid"))'
	for pair in KILL:9 SIGKILL:9 9:9 TERM:15 sigint:2 SIGUSR1:10 RTMIN+1:35 SIGRTMAX-2:62 64:64; do
		shim run --bundle "$BUNDLE" sig
		shim kill sig "${pair%:*}"
		shim wait sig
		jq -e --argjson n "${pair#*:}" '.signal == $n and .code == 128 + $n' <<<"$output"
		shim rm sig
	done
	nothing_left
}

@test "kill: what is no signal is a usage error" {
	bundle bad 'exec sleep 100'
	shim run --bundle "$BUNDLE" bad
	for signal in NONE 0 65 -- "" KILLX SIG RTMIN-1 RTMAX+1 RTMIN+31 99999999999999999999; do
		run --separate-stderr ocid-shim kill bad -- "$signal"
		[ "$status" -eq 2 ]
	done
	is_status bad running
	shim rm --force bad
}

@test "kill --all: every process gets it" {
	bundle all 'trap "" TERM; (trap "exit 0" TERM; echo inner; while :; do sleep 0.05; done) &
		wait $!; exit 8'
	shim run --bundle "$BUNDLE" all
	wait_for 5 grep -q inner "$BUNDLE/log"
	shim kill --all all TERM
	[ "$(code all)" -eq 8 ]
	shim rm all
}

@test "kill: a container that has stopped, or is not there, is exit 3" {
	quick ended 'exit 0'
	shim 3 kill ended
	error_is not-found "has stopped"
	shim 3 kill none
	shim rm ended
}

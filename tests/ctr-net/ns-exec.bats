#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	ctr-net ns create one >/dev/null
}

teardown() {
	ctr-net ns rm --force one
	ctr-net ns rm --force pod
}

@test "ns exec: runs the command in the namespace, by name and by path" {
	net ns exec one readlink /proc/self/ns/net
	[ "$output" = "net:[$(stat -c %i "$OCID_RUNROOT/netns/one")]" ]
	net ns exec "$OCID_RUNROOT/netns/one" readlink /proc/self/ns/net
	[ "$output" = "net:[$(stat -c %i "$OCID_RUNROOT/netns/one")]" ]
}

@test "ns exec: the command's options and exit status are its own" {
	net 42 ns exec one sh -c 'exit 42'
	net ns exec one -- printf '%s' --help
	[ "$output" = --help ]
}

@test "ns exec: what cannot be run is 127 or 126, as in a shell" {
	run -127 --separate-stderr ctr-net ns exec one no-such-command
	[[ $stderr == *"cannot run no-such-command"* ]]
	net 126 ns exec one /etc/passwd
}

@test "ns exec: no such namespace is exit 3, what is none exit 2" {
	net 3 ns exec none true
	error_is not-found "netns/none"
	net 2 ns exec /etc/passwd true
	error_is usage "not a network namespace"
	net 2 ns exec /proc/self/ns/mnt true
	error_is usage "not a network namespace"
	net 2 ns exec one
	error_is usage "missing operand"
}

@test "ns exec: --all enters everything that is pinned under the name" {
	# a leak checker at its end would begin in the PID namespace and wait for ever
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	net ns create pod --ipc --uts --hostname pod --user --uidmap 0:100000:65536 --gidmap 0:100000:65536
	unshare --pid --fork sleep 60 3>&- &
	outer=$!
	wait_for 5 child_of "$outer"
	net ns create pod --no-net --pid "$(child_of "$outer")"
	# shellcheck disable=SC2016 # expanded by the inner shell
	net ns exec --all pod sh -c 'hostname; id -u; for kind in user net ipc uts pid; do readlink "/proc/thread-self/ns/$kind"; done; exit 0'
	[ "${lines[0]} ${lines[1]}" = "pod 0" ]
	for kind in user net ipc uts; do
		[[ $output == *"$kind:[$(stat -c %i "$OCID_RUNROOT/${kind}ns/pod")]"* ]]
	done
	# shellcheck disable=SC2016
	net ns exec --all pod sh -c 'echo $$'
	[ "$output" -lt 100 ] # a number of its own PID namespace
	net 42 ns exec -a pod sh -c 'exit 42'
	net 143 ns exec -a pod sh -c 'kill $$'
	# a signal is for the command
	ctr-net ns exec -a pod sh -c 'echo runs; exec sleep 60' >"$BATS_TEST_TMPDIR/runs" 3>&- &
	runs=$!
	wait_for 20 test -s "$BATS_TEST_TMPDIR/runs"
	kill "$runs"
	status=0
	wait "$runs" || status=$?
	[ "$status" -eq 143 ]
	kill -KILL "$(child_of "$outer")"
	wait "$outer" || true
	net ns rm pod
	net 3 ns exec --all pod true
	error_is not-found
	net 2 ns exec --all /proc/self/ns/net true
	error_is usage
}

@test "ns exec: --all passes over none that cannot be looked at" {
	net ns create pod --uts --hostname pod
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P "$OCID_RUNROOT/utsns/pod" ctr-net ns exec --all pod hostname
	error_is limit "$OCID_RUNROOT/utsns/pod"
	[ -z "$output" ]
}

child_of() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '$4 == parent { print $1; found = 1 } END { exit !found }'
}

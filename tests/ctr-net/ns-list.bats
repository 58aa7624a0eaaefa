#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "ns list: is empty, then lists names in order" {
	net ns list
	[ -z "$output" ]
	net ns create zebra
	net ns create ant
	net ns list
	[ "$(jq -r .name <<<"$output" | paste -sd' ')" = "ant zebra" ]
	[ "$(jq -r .netns <<<"$output" | head -n 1)" = "$OCID_RUNROOT/netns/ant" ]
	net ns list --table
	[[ ${lines[0]} == NAME*NETNS* ]]
	net ns rm zebra
	net ns rm ant
}

@test "ns list: lists a thousand quickly and passes over what is not a namespace" {
	mkdir -p "$OCID_RUNROOT/netns"
	for n in {1..1000}; do : >"$OCID_RUNROOT/netns/file$n"; done
	net ns create one
	TOOL_TIMEOUT=30 net ns list
	[ "$(wc -l <<<"$output")" -eq 1 ]
	rm "$OCID_RUNROOT"/netns/file*
	net ns rm one
}

@test "ns list: what cannot be looked at is not taken to be missing" {
	net ns create one
	fault getdents64:error=EIO
	tool 1 "${FAULTY[@]}" -P "$OCID_RUNROOT/netns" ctr-net ns list
	error_is failed "$OCID_RUNROOT/netns"
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P "$OCID_RUNROOT/netns/one" ctr-net ns list
	error_is limit "$OCID_RUNROOT/netns/one"
	net ns rm one
}

@test "ns list: verbs that only read make no directories" {
	dir=$BATS_TEST_TMPDIR/none
	net ns list --root "$dir/root" --runroot "$dir/run"
	[ -z "$output" ]
	net 3 show one --root "$dir/root" --runroot "$dir/run"
	net 3 ns exec --root "$dir/root" --runroot "$dir/run" one true
	net show "/proc/$$/ns/net" --root "$dir/root" --runroot "$dir/run"
	[ ! -e "$dir" ]
}

@test "ns list: a full standard output is an error" {
	net ns create one
	run --separate-stderr bash -c 'ctr-net ns list >/dev/full'
	[ "$status" -ne 0 ]
	[[ $stderr == *"standard output"* ]]
	net ns rm one
}

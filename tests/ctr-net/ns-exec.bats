#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	ctr-net ns create one >/dev/null
}

teardown() {
	ctr-net ns rm --force one
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

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	ctr-net del --id one
	ctr-net ns rm --force one
}

@test "ns rm: the namespace and its file go" {
	net ns create one
	net ns rm one
	[ -z "$output" ]
	[ -z "$(find "$OCID_RUNROOT/netns" "$OCID_RUNROOT/locks" -type f)" ]
	[[ $(</proc/self/mountinfo) != *"$OCID_RUNROOT/netns"* ]]
}

@test "ns rm: what is not there is exit 3, with --force exit 0" {
	net 3 ns rm none
	error_is not-found 'no namespace "none"'
	net ns rm --force none
}

@test "ns rm: a plain file that a kill left goes too" {
	net ns list
	touch "$OCID_RUNROOT/netns/one"
	net ns rm one
	[ ! -e "$OCID_RUNROOT/netns/one" ]
}

@test "ns rm: a running process keeps the namespace, not the name" {
	net ns create one
	nsenter --net="$OCID_RUNROOT/netns/one" sleep 60 3>&- &
	pid=$!
	wait_for 5 test "/proc/$pid/ns/net" -ef "$OCID_RUNROOT/netns/one"
	net ns rm one
	net ns create one
	[ ! "/proc/$pid/ns/net" -ef "$OCID_RUNROOT/netns/one" ]
	kill "$pid"
}

@test "ns rm: names outside the directory are refused" {
	touch "$OCID_RUNROOT/precious"
	for name in ../precious "$OCID_RUNROOT/precious" ..; do
		net 2 ns rm --force "$name"
		error_is usage "\"$name\" cannot be the name of a namespace"
	done
	[ -e "$OCID_RUNROOT/precious" ]
}

@test "ns rm: while networks are connected it is in use, with --force it goes" {
	plugin_nothing
	network nothing "$NOTHING"
	net ns create one
	net add nothing one --conf-dir "$NET_D"
	net 5 ns rm one
	error_is in-use 'del --id one'
	net ns rm --force one
	net del --id one
	nothing_left
}

@test "ns rm: --force takes down first what a killed add has left" {
	plugin hangs <<-'END'
		cat >/dev/null
		case $CNI_COMMAND in
		ADD)
			touch "$seen/made"
			exec sleep 60 ;;
		DEL)
			# as the reference bridge finds its firewall rules
			[ ! -e "$CNI_NETNS" ] || rm -f "$seen/made" ;;
		esac
	END
	network web '{"type": "hangs"}'
	net ns create one
	nsenter --net="$HOST" ctr-net add web one --conf-dir "$NET_D" >/dev/null 2>&1 3>&- &
	wait_for 5 test -e "$BATS_TEST_TMPDIR/made"
	kill -KILL "$!"
	wait "$!" || true
	net 5 ns rm one
	net ns rm --force one
	[ ! -e "$BATS_TEST_TMPDIR/made" ]
	nothing_left
}

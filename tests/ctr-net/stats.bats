#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	take_down
}

# counter NAME KEY: what the kernel says of the interface eth0
counter() {
	nsenter --net="$OCID_RUNROOT/netns/$1" ip -s -j link show eth0 | jq ".[0].stats64.$2"
}

@test "stats: bytes and errors of every interface but loopback, as the kernel counts them" {
	bridge_network web 70
	net ns create one
	net add web one --conf-dir "$NET_D"
	nsenter --net="$OCID_RUNROOT/netns/one" /bin/busybox ping -q -c 3 -W 2 10.90.70.1
	nsenter --net="$OCID_RUNROOT/netns/one" ip link set eth0 down # it is counted no further
	net stats one
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(jq -c '[.netns, (.interfaces | map(.name))]' <<<"$output")" = "[\"$OCID_RUNROOT/netns/one\",[\"eth0\"]]" ]
	[ "$(jq '.interfaces[0].rxBytes.value' <<<"$output")" = "$(counter one rx.bytes)" ]
	[ "$(jq '.interfaces[0].txBytes.value' <<<"$output")" = "$(counter one tx.bytes)" ]
	jq -e '.interfaces[0] | .txBytes.value >= 294 and .rxErrors.value == 0 and .txErrors.value == 0' <<<"$output"
	# nanoseconds
	jq -e --argjson now "$(date +%s)" '(.timestamp / 1e9 - $now) | fabs < 60' <<<"$output"
	net show one
	[ "$(jq '.interfaces[1].statistics.txPackets' <<<"$output")" = "$(counter one tx.packets)" ]
}

@test "stats: by default a line for each pinned namespace" {
	net stats
	[ -z "$output" ]
	for name in a b c; do net ns create "$name"; done
	net ns create d --no-net --uts
	net stats
	[ "$(jq -c '[.netns, .interfaces]' <<<"$output" | paste -sd' ')" = "[\"$OCID_RUNROOT/netns/a\",[]] [\"$OCID_RUNROOT/netns/b\",[]] [\"$OCID_RUNROOT/netns/c\",[]]" ]
	net stats c "/proc/$$/ns/net"
	[ "$(jq -r .netns <<<"$output" | paste -sd' ')" = "$OCID_RUNROOT/netns/c /proc/$$/ns/net" ]
}

@test "stats: a namespace that is gone does not keep the others from being told of" {
	net ns create a
	net 3 stats gone a lost
	error_is not-found "netns/gone"
	[ "$(jq -r .netns <<<"$output")" = "$OCID_RUNROOT/netns/a" ]
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == *"netns/lost"* ]]
	net 2 stats /etc/passwd
	error_is usage
}

@test "stats: one that nobody named and that goes once it is listed is no failure" {
	for name in a b c; do net ns create "$name"; done
	fault openat:error=ENOENT:when=2+
	tool "${FAULTY[@]}" -P "$OCID_RUNROOT/netns/b" ctr-net stats
	[ "$(jq -r .netns <<<"$output" | paste -sd' ')" = "$OCID_RUNROOT/netns/a $OCID_RUNROOT/netns/c" ]
}

@test "stats: --table has a line for each interface" {
	net ns create a
	nsenter --net="$OCID_RUNROOT/netns/a" ip link add v0 type veth peer name v1
	net stats a --table
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == NETNS*INTERFACE*RECEIVED*ERRORS*SENT*ERRORS ]]
	[[ ${lines[1]} == "$OCID_RUNROOT/netns/a"*v?*0B*0*0B*0 ]]
}

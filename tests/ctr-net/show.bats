#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	ctr-net ns create one >/dev/null
}

teardown() {
	[ -z "${churn-}" ] || kill "$churn"
	ctr-net ns rm --force one
}

inside() {
	nsenter --net="$OCID_RUNROOT/netns/one" "$@"
}

@test "show: agrees with iproute2 about interfaces, addresses and routes" {
	inside ip link add veth0 address 02:00:00:00:00:01 mtu 1400 type veth peer name veth1
	inside ip address add 192.0.2.1/24 dev veth0
	inside ip address add 192.0.2.99/32 dev veth0
	inside ip address add 2001:db8::1/64 dev veth0 nodad
	inside ip link set veth0 up
	inside ip link set veth1 up
	inside ip route add default via 192.0.2.254
	inside ip route add 198.51.100.0/24 dev veth0 metric 7 table 100
	inside ip route add blackhole 203.0.113.0/24
	inside ip -6 route add 2001:db8:1::/48 via 2001:db8::2

	net show one
	theirs=$(inside ip -j address show)
	[ "$(jq -c '[.interfaces[] | [.index, .name, .mtu, .mac]]' <<<"$output")" = \
		"$(jq -c '[.[] | [.ifindex, .ifname, .mtu, .address]]' <<<"$theirs")" ]
	[ "$(jq -c '[.interfaces[].addresses | sort]' <<<"$output")" = \
		"$(jq -c '[.[].addr_info | map("\(.local)/\(.prefixlen)") | sort]' <<<"$theirs")" ]
	jq -e '.interfaces[] | select(.name == "veth0") | .kind == "veth" and .state == "up" and
		.mac == "02:00:00:00:00:01" and (.flags | contains(["UP", "LOWER_UP"]))' <<<"$output"
	jq -e '.routes | any(.dst == "0.0.0.0/0" and .gw == "192.0.2.254" and .dev == "veth0")' <<<"$output"
	jq -e '.routes | any(.dst == "198.51.100.0/24" and .table == 100 and .priority == 7)' <<<"$output"
	jq -e '.routes | any(.dst == "203.0.113.0/24" and .type == "blackhole")' <<<"$output"
	jq -e '.routes | any(.dst == "2001:db8:1::/48" and .gw == "2001:db8::2")' <<<"$output"
	jq -e '.routes | any(.dst == "192.0.2.0/24" and .src == "192.0.2.1" and .scope == 253)' <<<"$output"
}

@test "show: reads more than one netlink message holds" {
	inside ip link add veth0 type veth peer name veth1
	inside ip link set veth0 up
	for n in {1..2000}; do
		echo "address add 10.$((n / 250)).$((n % 250)).1/32 dev veth0"
	done | inside ip -batch -
	net show one
	[ "$(jq '[.interfaces[].addresses[] | select(startswith("10."))] | length' <<<"$output")" -eq 2000 ]
}

@test "show: interfaces that come and go meanwhile do not spoil it" {
	for n in {1..40}; do
		echo "link add a$n type veth peer name b$n"
	done | inside ip -batch -
	for n in {1..2000}; do
		printf 'link add x type veth peer name y\nlink del x\n'
	done | nsenter --net="$OCID_RUNROOT/netns/one" ip -batch - 3>&- &
	churn=$!
	for n in {1..20}; do
		net show one
		[ "$(jq '.interfaces | length' <<<"$output")" -ge 81 ]
	done
	kill "$churn"
	wait "$churn" || true
	churn=
}

@test "show: a path leads to any namespace, also of a process" {
	net show "/proc/$$/ns/net"
	jq -e '.interfaces | any(.name == "lo")' <<<"$output"
}

@test "show: what is not there is exit 3" {
	net 3 show none
	error_is not-found
	net 3 show /run/netns/no/such
	error_is not-found
	net 2 show /etc/hostname
	error_is usage
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	net 2 show "$BATS_TEST_TMPDIR/fifo"
	error_is usage
}

@test "show: an interface whose name is no text spoils nothing" {
	inside ip link add $'x\xff\e' type veth peer name veth1
	net show one
	[ "$(jq '.interfaces | length' <<<"$output")" -eq 3 ]
	[[ $output != *$'\e'* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	ctr-net ns create one >/dev/null
	told=$BATS_TEST_TMPDIR/told
}

teardown() {
	take_down
}

inside() {
	nsenter --net="$OCID_RUNROOT/netns/one" "$@"
}

# watch ARG…: a monitor in the background, $monitor, that is at work
watch() {
	ctr-net monitor "$@" >"$told" 3>&- &
	monitor=$!
	inside ip link add probe type veth peer name probe2 2>/dev/null || true
	# it may have begun a moment later
	for ((tries = 0; tries < 100; tries++)); do
		inside ip link set probe mtu $((1400 + tries))
		sleep 0.05
		tells '.link.name == "probe"' && return 0
	done
	return 1
}

# tells CONDITION: some line so far fulfils it
tells() {
	jq -es "any($1)" <"$told" >/dev/null
}

stop() {
	kill "$monitor" 2>/dev/null || true
	wait "$monitor" || true
}

@test "monitor: tells of links, addresses and routes as they come and go" {
	watch one
	inside ip link add eth7 type veth peer name eth8
	inside ip link set eth7 up
	inside ip link set eth8 up
	inside ip address add 192.0.2.1/24 dev eth7
	inside ip address add 2001:db8::1/64 dev eth7 nodad
	inside ip route add 198.51.100.0/24 via 192.0.2.9 metric 5
	inside ip route del 198.51.100.0/24
	inside ip address del 192.0.2.1/24 dev eth7
	inside ip link del eth7
	wait_for 5 tells '.change == "removed" and .link.name == "eth7"'
	stop
	jq -e . <"$told" >/dev/null
	tells '.change == "set" and (.link | .name == "eth7" and .kind == "veth" and (has("statistics") | not) and (.flags | index("UP")))'
	tells '.change == "set" and .address == {"address": "192.0.2.1/24", "ifname": "eth7"}'
	tells '.change == "set" and .address == {"address": "2001:db8::1/64", "ifname": "eth7"}'
	tells '.change == "set" and (.route | .dst == "198.51.100.0/24" and .gw == "192.0.2.9" and .dev == "eth7" and .priority == 5)'
	tells '.change == "removed" and (.route | .dst == "198.51.100.0/24" and .dev == "eth7")'
	tells '.change == "removed" and .address.address == "192.0.2.1/24"'
	# RFC 3339, and every line says one thing
	tells '.time | test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$")'
	[ "$(jq -c 'keys - ["change", "time"] | length' <"$told" | sort -u)" = 1 ]
}

@test "monitor: --past tells first of what is there" {
	inside ip link add eth7 type veth peer name eth8
	inside ip link set eth7 up
	inside ip address add 192.0.2.1/24 dev eth7
	inside ip route add blackhole 203.0.113.0/24
	watch one --past
	stop
	[ "$(head -n 1 "$told" | jq -c '[.change, .link.name]')" = '["set","lo"]' ]
	tells '.address == {"address": "127.0.0.1/8", "ifname": "lo"}'
	tells '.link.name == "eth7"'
	tells '.address == {"address": "192.0.2.1/24", "ifname": "eth7"}'
	tells '.route | .dst == "203.0.113.0/24" and .type == "blackhole"'
	# without it nothing of what was there
	watch one
	stop
	run ! tells '.link.name == "lo" or .address'
}

@test "monitor: a signal ends it with 128 and its number, quietly" {
	watch one
	kill -TERM "$monitor"
	status=0
	wait "$monitor" || status=$?
	[ "$status" -eq 143 ]
}

@test "monitor: it ends with the pin, and does not keep the namespace" {
	watch one
	ctr-net ns rm one
	wait_for 5 process_gone "$monitor"
	wait "$monitor" # with status 0
}

@test "monitor: it ends when nobody reads any more" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	ctr-net monitor one >"$BATS_TEST_TMPDIR/pipe" 3>&- &
	monitor=$!
	: <"$BATS_TEST_TMPDIR/pipe"
	wait_for 5 process_gone "$monitor"
}

@test "monitor: of many changes none is lost, or it says so and begins anew" {
	watch one
	inside ip link add eth7 type veth peer name eth8
	kill -STOP "$monitor"
	for n in {1..3000}; do
		echo "address add 10.$((n / 250)).$((n % 250)).1/32 dev eth7"
	done | inside ip -batch -
	kill -CONT "$monitor"
	wait_for 10 tells '.address.address == "10.12.0.1/32"'
	stop
	tells '.change == "lost"' ||
		[ "$(jq -r 'select(.address.ifname == "eth7") | .address.address' <"$told" | sort -u | wc -l)" -eq 3000 ]
	[ "$(jq -r '.address.address // empty' <"$told" | grep -c '^10\.')" -ge 3000 ]
}

@test "monitor: what is not there is exit 3" {
	net 3 monitor none
	error_is not-found
	net 2 monitor /etc/passwd
	error_is usage
	net 2 monitor one two
	TOOL_TIMEOUT=30 tool 9 bash -c 'ctr-net monitor one --past >/dev/full'
	error_is limit "standard output"
}

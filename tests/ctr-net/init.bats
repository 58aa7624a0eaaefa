#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	[ -z "${server-}" ] || stop_server
	take_down
	nothing_left
}

init() {
	if [[ $1 =~ ^[0-9]+$ ]]; then
		net "$1" init --conf-dir "$NET_D" "${@:2}"
	else
		net init --conf-dir "$NET_D" "$@"
	fi
}

# host-local keeps its leases below /var/lib/cni unless told otherwise
keep_leases() {
	jq --arg dir "$LEASES" '.plugins[0].ipam.dataDir = $dir' "$NET_D/$1.conflist" >"$BATS_TEST_TMPDIR/new"
	cp "$BATS_TEST_TMPDIR/new" "$NET_D/$1.conflist"
}

@test "init: a bridge network of both families carries traffic" {
	init bridge --name web --subnet 10.90.1.0/24 --subnet fd00:1::/64
	jq -e --arg file "$NET_D/web.conflist" '.name == "web" and .file == $file' <<<"$output"
	[ "$(jq -cS . "$NET_D/web.conflist")" = "$(jq -cS .config <<<"$output")" ]
	[ "$(stat -c %a "$NET_D/web.conflist")" = 644 ]
	[ "$(ls -A "$NET_D")" = web.conflist ]
	net validate "$NET_D/web.conflist"
	net status web --conf-dir "$NET_D"
	keep_leases web
	net ns create one
	net ns create two
	net add web one --conf-dir "$NET_D" --publish 8080:80
	net add web two --conf-dir "$NET_D"
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = '["10.90.1.3/24","fd00:1::3/64"]' ]
	serve one 80 "from one"
	[ "$(fetch http://127.0.0.1:8080/)" = "from one" ]
	[ "$(fetch 'http://[fd00:1::2]/')" = "from one" ]
	net ns exec two curl -fsS --max-time 5 http://10.90.1.2/
	[ "$output" = "from one" ]
	# by the published port on the gateway, back into the same network
	net ns exec two curl -fsS --max-time 5 http://10.90.1.1:8080/
	[ "$output" = "from one" ]
	on_host ip link delete web
}

@test "init: a ptp network" {
	init ptp --subnet 10.90.2.0/24
	net validate "$NET_D/ptp.conflist"
	keep_leases ptp
	net ns create one
	net add ptp one --conf-dir "$NET_D" --publish 8082:80
	serve one 80 "from one"
	[ "$(fetch http://10.90.2.1:8082/)" = "from one" ]
}

@test "init: a macvlan network, with a gateway and a range" {
	on_host ip link add up0 type veth peer name up1
	init macvlan --name lan --master up0 --subnet 10.90.3.0/24 --gateway 10.90.3.254 \
		--range 10.90.3.100-10.90.3.109
	net validate "$NET_D/lan.conflist"
	keep_leases lan
	net ns create one
	net add lan one --conf-dir "$NET_D"
	[ "$(jq -c '.ips[0] | [.address, .gateway]' <<<"$output")" = '["10.90.3.100/24","10.90.3.254"]' ]
	net show one
	jq -e '.interfaces | any(.name == "eth0" and .kind == "macvlan")' <<<"$output"
	net del lan one
	on_host ip link delete up0
}

@test "init: what is there already stays as it is" {
	init bridge --name web --subnet 10.90.4.0/24
	cp "$NET_D/web.conflist" "$BATS_TEST_TMPDIR/before"
	init 4 ptp --name web --subnet 10.90.5.0/24
	error_is exists 'there is a network "web"'
	[ -z "$output" ]
	# also in a file of another name, and a file that holds another network
	mv "$NET_D/web.conflist" "$NET_D/10-other.conflist"
	init 4 bridge --name web --subnet 10.90.4.0/24
	echo broken >"$NET_D/new.conflist"
	init 4 bridge --name new --subnet 10.90.6.0/24
	error_is exists "new.conflist"
	[ "$(cat "$NET_D/new.conflist")" = broken ]
	[ "$(find "$NET_D" -type f | wc -l)" -eq 2 ]
	cmp "$NET_D/10-other.conflist" "$BATS_TEST_TMPDIR/before"
}

@test "init: a subnet that another bridge or ptp has is refused, in whole or in part" {
	echo '{"cniVersion": "0.4.0", "name": "old", "type": "bridge",
		"ipam": {"type": "host-local", "subnet": "10.91.0.5/16"}}' >"$NET_D/old.conf"
	init ptp --name new --subnet fd00:91::/64 --subnet 10.90.1.0/24
	for subnet in 10.91.0.0/16 10.91.7.0/24 10.88.0.0/13 10.90.1.0/25 fd00:91::/56; do
		init 4 bridge --subnet "$subnet"
		error_is exists "subnet $subnet overlaps"
	done
	error_is exists "of network new (take another, see ctr-net list)"
	init macvlan --master eth0 --subnet 10.91.0.0/16
	init bridge --subnet 10.92.0.0/16 --subnet fd00:92::/64
	[ "$(find "$NET_D" -type f | wc -l)" -eq 4 ]
}

@test "init: a subnet that an interface of the host has is refused, but for that of its own bridge" {
	on_host ip link add up0 type veth peer name up1
	on_host ip address add 10.93.4.1/16 dev up0
	on_host ip address add fd00:93::1/64 dev up0
	for subnet in 10.93.0.0/16 10.93.77.0/24 10.92.0.0/14 fd00:93::/48; do
		init 4 bridge --subnet "$subnet"
		error_is exists "of interface up0"
		init 4 ptp --subnet "$subnet"
	done
	init macvlan --master up0 --subnet 10.93.0.0/16
	init bridge --subnet 10.93.0.0/16 --bridge up0
	init ptp --subnet 10.94.0.0/16 --subnet fd00:94::/64
	on_host ip link delete up0
}

@test "init: of many at once one wins, and its file is whole" {
	for n in {1..8}; do
		ctr-net init bridge --name web --subnet "10.90.$n.0/24" --conf-dir "$NET_D/deep/er" \
			>>"$BATS_TEST_TMPDIR/won" 2>/dev/null 3>&- &
	done
	wait
	[ "$(wc -l <"$BATS_TEST_TMPDIR/won")" -eq 1 ]
	[ "$(jq -cS . "$NET_D/deep/er/web.conflist")" = "$(jq -cS .config "$BATS_TEST_TMPDIR/won")" ]
	[ "$(ls -A "$NET_D/deep/er")" = web.conflist ]
}

@test "init: of many at once with one subnet one wins" {
	for n in {1..8}; do
		ctr-net init bridge --name "web$n" --subnet 10.90.1.0/24 --conf-dir "$NET_D" \
			>>"$BATS_TEST_TMPDIR/won" 2>/dev/null 3>&- &
	done
	wait
	[ "$(wc -l <"$BATS_TEST_TMPDIR/won")" -eq 1 ]
	[ "$(find "$NET_D" -type f | wc -l)" -eq 1 ]
}

@test "init: malformed calls are exit 2 and write nothing" {
	init 2
	init 2 vlan --subnet 10.90.1.0/24
	error_is usage "bridge, ptp, macvlan or ipvlan"
	init 2 bridge
	error_is usage "--subnet"
	for subnet in 10.90.1.0 10.90.1.0/ 10.90.1.0/33 10.90.1.0/31 10.90.1.0/0 10.90.1.1/24 \
		10.90.1.0/024x 300.0.0.0/8 x/24 /24 '' fd00::/127 fd00::1/64 fd00::/999; do
		init 2 bridge --subnet "$subnet"
		error_is usage "$subnet"
	done
	init 2 bridge --name none --subnet 10.90.1.0/24
	error_is usage '"none" cannot be the name'
	init 2 bridge --subnet 10.90.1.0/24 --subnet 10.90.2.0/24
	error_is usage "one of IPv4 and one of IPv6"
	for gateway in 10.90.2.1 10.90.1.0 10.90.1.255 fd00::1 x; do
		init 2 bridge --subnet 10.90.1.0/24 --gateway "$gateway"
		error_is usage "$gateway"
	done
	init 2 bridge --subnet 10.90.1.0/24 --gateway 10.90.1.1 --gateway 10.90.1.2
	error_is usage "given twice"
	for range in 10.90.1.5 10.90.1.5-10.90.1.4 10.90.1.5-10.90.2.6 -; do
		init 2 bridge --subnet 10.90.1.0/24 --range "$range"
		error_is usage "range $range"
	done
	init 2 bridge --subnet 10.90.1.0/24 --name a/b
	init 2 bridge --subnet 10.90.1.0/24 --name longer-than-an-interface
	error_is usage "--bridge"
	init 2 bridge --subnet 10.90.1.0/24 --master eth0
	init 2 ptp --subnet 10.90.1.0/24 --bridge b
	init 2 macvlan --subnet 10.90.1.0/24
	error_is usage "--master"
	[ -z "$(ls -A "$NET_D")" ]
	init bridge --subnet 10.90.1.0/24 --name longer-than-an-interface --bridge short0
	[ "$(jq -r '.config.plugins[0].bridge' <<<"$output")" = short0 ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Debian's plugins, each with the traffic that it is for.

load common

setup() {
	rm -rf "${NET_D:?}"/* "${PLUGINS:?}"/*
	ctr-net ns create one >/dev/null
}

teardown() {
	take_down # first: the reference macvlan's DEL fails where its master is gone
	on_host ip link del out0 2>/dev/null || true
	nothing_left
}

inside() {
	nsenter --net="$OCID_RUNROOT/netns/one" "$@"
}

# Another machine, "outside", on a wire to the host: 192.0.2.2 and 2001:db8:99::2, the host is .1.
outside_machine() {
	ctr-net ns create outside >/dev/null
	on_host ip link add out0 type veth peer name out1
	on_host ip link set out1 netns "$OCID_RUNROOT/netns/outside" name eth0
	on_host ip address add 192.0.2.1/24 dev out0
	on_host ip address add 2001:db8:99::1/64 dev out0 nodad
	on_host ip link set out0 up
	outside ip address add 192.0.2.2/24 dev eth0
	outside ip address add 2001:db8:99::2/64 dev eth0 nodad
	outside ip link set eth0 up
}

outside() {
	nsenter --net="$OCID_RUNROOT/netns/outside" "$@"
}

dual_stack() { # NAME NUMBER PLUGIN…
	local name=$1 number=$2

	shift 2
	network "$name" '{"type": "bridge", "bridge": "br'"$number"'", "isGateway": true, "ipMasq": true,
		"hairpinMode": true, "ipam": {"type": "host-local", "dataDir": "'"$LEASES"'",
		"ranges": [[{"subnet": "10.90.'"$number"'.0/24"}], [{"subnet": "fd00:'"$number"'::/64"}]],
		"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}' "$@"
}

# udp_echo PORT: answers one datagram of either family in upper case
udp_echo() {
	inside /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", int(sys.argv[1]))); s.settimeout(20)
data, peer = s.recvfrom(100); s.sendto(data.upper(), peer)' "$1" 3>&- &
	wait_for 10 bash -c "nsenter --net=$OCID_RUNROOT/netns/one ss -lun | grep -q ':$1 '"
}

# udp_ask ADDRESS PORT: sends hello, prints the answer
udp_ask() {
	/usr/bin/python3 -c '
import socket, sys
address = sys.argv[1]
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10); s.sendto(b"hello", (address, int(sys.argv[2]))); print(s.recv(100).decode())' "$@"
}

@test "kinds: a published port is reached from loopback, the host, another machine and the container itself" {
	outside_machine
	dual_stack web 31 "$PORTMAP" '{"type": "firewall"}'
	net add web one --conf-dir "$NET_D" --publish 8080:80 --publish 127.0.0.1:8081:80 --publish 5353:53/udp
	serve one 80 published
	[ "$(fetch http://127.0.0.1:8080/)" = published ]
	[ "$(fetch http://127.0.0.1:8081/)" = published ]
	[ "$(fetch http://192.0.2.1:8080/)" = published ]
	[ "$(outside curl -fsS --max-time 5 http://192.0.2.1:8080/)" = published ]
	[ "$(outside curl -fsS --max-time 5 'http://[2001:db8:99::1]:8080/')" = published ]
	run ! outside curl -fsS --max-time 1 http://192.0.2.1:8081/
	# hairpin: the container by the host's address
	[ "$(inside curl -fsS --max-time 5 http://192.0.2.1:8080/)" = published ]
	stop_server
	for address in 192.0.2.1 2001:db8:99::1; do
		udp_echo 53
		[ "$(outside /usr/bin/env bash -c "$(declare -f udp_ask); udp_ask $address 5353")" = HELLO ]
		wait
	done
	net del web one
	run ! fetch http://127.0.0.1:8080/
}

@test "kinds: what leaves a bridge has the host's address, in both families" {
	outside_machine
	dual_stack web 32
	net add web one --conf-dir "$NET_D"
	on_host sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	# without masquerading there would be no way back
	inside /bin/busybox ping -q -c 1 -W 5 192.0.2.2
	inside /bin/busybox ping -q -c 1 -W 5 2001:db8:99::2
}

@test "kinds: static addresses, from the configuration and by the capability ips" {
	network fixed '{"type": "bridge", "bridge": "br34", "isGateway": false, "ipam": {"type": "static",
		"addresses": [{"address": "10.90.34.7/24"}, {"address": "fd00:34::7/64"}]}}'
	network asked '{"type": "bridge", "bridge": "br34", "capabilities": {"ips": true},
		"ipam": {"type": "static"}}'
	net add fixed one --conf-dir "$NET_D"
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = '["10.90.34.7/24","fd00:34::7/64"]' ]
	net check fixed one # now, since the bridge's own address changes with its ports
	ctr-net ns create two >/dev/null
	net add asked two --conf-dir "$NET_D" --cap 'ips=["10.90.34.9/24", "fd00:34::9/64"]'
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = '["10.90.34.9/24","fd00:34::9/64"]' ]
	inside /bin/busybox ping -q -c 1 -W 5 10.90.34.9
	inside /bin/busybox ping -q -c 1 -W 5 fd00:34::9
}

@test "kinds: bandwidth, by its capability" {
	bridge_network web 35 '{"type": "bandwidth", "capabilities": {"bandwidth": true}}'
	net add web one --conf-dir "$NET_D" \
		--cap 'bandwidth={"ingressRate": 8000000, "ingressBurst": 800000, "egressRate": 8000000, "egressBurst": 800000}'
	on_host tc qdisc show | grep -q 'tbf .*rate 8Mbit'
	net check web one
	# two megabytes take two seconds at eight megabits: slower than any bridge alone
	serve one 80 text
	head -c 2000000 /dev/zero >"$BATS_TEST_TMPDIR/www.one/data"
	began=$EPOCHREALTIME
	fetch http://10.90.35.2/data >/dev/null
	took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	stop_server
	[ "$took" -ge 1000 ]
	net del web one
	[ -z "$(on_host ip -o link show type ifb)" ]
}

@test "kinds: tuning sets sysctls inside, and firewall lets forwarded traffic through" {
	outside_machine
	bridge_network web 36 '{"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_notify": "1",
		"net.core.somaxconn": "500"}, "mtu": 1400}' '{"type": "firewall"}'
	on_host iptables -P FORWARD DROP
	net add web one --conf-dir "$NET_D"
	[ "$(inside cat /proc/sys/net/core/somaxconn)" = 500 ]
	[ "$(inside cat /proc/sys/net/ipv4/conf/eth0/arp_notify)" = 1 ]
	net show one
	[ "$(jq '.interfaces[] | select(.name == "eth0") | .mtu' <<<"$output")" = 1400 ]
	inside /bin/busybox ping -q -c 1 -W 5 192.0.2.2
	net del web one
	on_host iptables -P FORWARD ACCEPT
}

@test "kinds: ptp carries traffic to the host and beyond, in both families" {
	outside_machine
	network link '{"type": "ptp", "ipMasq": true, "ipam": {"type": "host-local", "dataDir": "'"$LEASES"'",
		"ranges": [[{"subnet": "10.90.37.0/24"}], [{"subnet": "fd00:37::/64"}]],
		"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}' "$PORTMAP"
	net add link one --conf-dir "$NET_D" --publish 8080:80
	inside /bin/busybox ping -q -c 1 -W 5 192.0.2.2
	serve one 80 ptp
	[ "$(outside curl -fsS --max-time 5 http://192.0.2.1:8080/)" = ptp ]
	stop_server
}

@test "kinds: macvlan puts the container beside the host's interface" {
	outside_machine
	network mac '{"type": "macvlan", "master": "out0", "ipam": {"type": "host-local",
		"dataDir": "'"$LEASES"'", "ranges": [[{"subnet": "192.0.2.0/24", "rangeStart": "192.0.2.100"}]]}}'
	net add mac one --conf-dir "$NET_D"
	[ "$(jq -r '.ips[0].address' <<<"$output")" = 192.0.2.100/24 ]
	inside /bin/busybox ping -q -c 1 -W 5 192.0.2.2
	outside /bin/busybox ping -q -c 1 -W 5 192.0.2.100
	net check mac one
}

# The kernel of a development machine may lack these; that of the virtual machine has them.
require_link() { # TYPE OPTION…
	on_host ip link add name probe0 link out0 type "$@" 2>/dev/null || skip "this kernel has no $1"
	on_host ip link del probe0
}

@test "kinds: ipvlan shares the host's interface and its address" {
	outside_machine
	require_link ipvlan
	network ipv '{"type": "ipvlan", "master": "out0", "ipam": {"type": "static",
		"addresses": [{"address": "192.0.2.50/24"}]}}'
	net add ipv one --conf-dir "$NET_D"
	inside /bin/busybox ping -q -c 1 -W 10 192.0.2.2
	net show one
	jq -e '.interfaces | any(.name == "eth0" and .kind == "ipvlan")' <<<"$output"
	net check ipv one
	net del ipv one
	ctr-net init ipvlan --master out0 --subnet 192.0.2.0/24 --range 192.0.2.60-192.0.2.70 --conf-dir "$NET_D"
	net add ipvlan one --conf-dir "$NET_D"
	outside /bin/busybox ping -q -c 1 -W 10 192.0.2.60
}

@test "kinds: vlan" {
	outside_machine
	require_link vlan id 77
	outside ip link add link eth0 name v7 type vlan id 7
	outside ip address add 198.51.100.2/24 dev v7
	outside ip link set v7 up
	network tagged '{"type": "vlan", "master": "out0", "vlanId": 7, "ipam": {"type": "static",
		"addresses": [{"address": "198.51.100.1/24"}]}}'
	net add tagged one --conf-dir "$NET_D"
	inside /bin/busybox ping -q -c 1 -W 10 198.51.100.2
}

@test "kinds: vrf chains after a bridge" {
	outside_machine
	require_link vrf table 99
	bridge_network web 38 '{"type": "vrf", "vrfname": "blue"}'
	net add web one --conf-dir "$NET_D"
	inside ip -o link show master blue | grep -q eth0
	inside ip vrf exec blue /bin/busybox ping -q -c 1 -W 10 10.90.38.1
	net del web one
	[ -z "$(inside ip -o link show type vrf)" ]
}

@test "kinds: every capability argument reaches the plugin that declares it, as it was given" {
	plugin taker <<-'END'
		cat >"$seen/given"
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0"}'
	END
	network all '{"type": "taker", "capabilities": {"portMappings": true, "bandwidth": true, "ips": true,
		"ipRanges": true, "mac": true, "infinibandGUID": true, "deviceID": true, "dns": true,
		"aliases": true, "cgroupPath": true}}'
	net add all one --conf-dir "$NET_D" --publish 80:80 --cap 'bandwidth={"ingressRate": 1}' \
		--cap 'ips=["10.0.0.1/8"]' --cap 'ipRanges=[[{"subnet": "10.0.0.0/8"}]]' \
		--cap 'mac="02:00:00:00:00:01"' --cap 'infinibandGUID="c2:11:22:33:44:55:66:77"' \
		--cap 'deviceID="0000:04:00.5"' --cap 'dns={"servers": ["1.1.1.1"], "searches": ["x"]}' \
		--cap 'aliases={"all": ["a", "b"]}' --cap 'cgroupPath="/kubelet/pod1"'
	[ "$(jq -cS .runtimeConfig "$BATS_TEST_TMPDIR/given")" = '{"aliases":{"all":["a","b"]},"bandwidth":{"ingressRate":1},"cgroupPath":"/kubelet/pod1","deviceID":"0000:04:00.5","dns":{"searches":["x"],"servers":["1.1.1.1"]},"infinibandGUID":"c2:11:22:33:44:55:66:77","ipRanges":[[{"subnet":"10.0.0.0/8"}]],"ips":["10.0.0.1/8"],"mac":"02:00:00:00:00:01","portMappings":[{"containerPort":80,"hostPort":80,"protocol":"tcp"}]}' ]
}

@test "kinds: iptables-nft and iptables-legacy, whichever iptables is" {
	local kind other

	bridge_network web 33 "$PORTMAP"
	for kind in nft legacy; do
		on_host "iptables-$kind" -t nat -S >/dev/null || continue
		other=$([ "$kind" = nft ] && echo legacy || echo nft)
		mkdir -p "$BATS_TEST_TMPDIR/$kind"
		for name in iptables ip6tables; do
			ln -s "/usr/sbin/$name-$kind" "$BATS_TEST_TMPDIR/$kind/$name"
		done
		PATH=$BATS_TEST_TMPDIR/$kind:$PATH net add web one --conf-dir "$NET_D" --publish 8080:80
		on_host "iptables-$kind-save" -t nat | grep -q -- '--dport 8080 -j DNAT --to-destination 10.90.33.'
		lacks 8080 on_host "iptables-$other-save" -t nat
		serve one 80 "$kind"
		[ "$(fetch http://127.0.0.1:8080/)" = "$kind" ]
		stop_server
		PATH=$BATS_TEST_TMPDIR/$kind:$PATH net del web one
		lacks '8080|-A CNI-DN' on_host "iptables-$kind-save" -t nat
		on_host "iptables-$kind" -t nat -F
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	rm -rf "${NET_D:?}"/* "${PLUGINS:?}"/*
}

teardown() {
	take_down
	nothing_left
}

plain_network() {
	network "$1" '{"type": "bridge", "bridge": "br'"$2"'", "isGateway": true, "ipam": {
		"type": "host-local", "dataDir": "'"$LEASES"'", "subnet": "10.90.'"$2"'.0/24"}}' "${@:3}"
}

gc() {
	net gc --conf-dir "$NET_D" "$@"
}

document() {
	mkdir -p "$BATS_TEST_TMPDIR/$1"
	echo '{"rootfs": {"id": "'"$1"'", "bundle": "'"$BATS_TEST_TMPDIR/$1"'"}}'
}

@test "gc: containers that are there stay, those whose namespace is gone go" {
	plain_network web 1 "$PORTMAP"
	net ns create one
	net ns create two
	net add web one --conf-dir "$NET_D" --publish 8080:80
	net add web two --conf-dir "$NET_D"
	net add --conf-dir "$NET_D" <<<"$(document abc)"
	gc
	[ -z "$output" ]
	# one that cannot be looked at, for want of descriptors, may be there
	fault openat:error=EMFILE
	tool nsenter --net="$HOST" "${FAULTY[@]}" -P "$OCID_RUNROOT/netns/one" -P "$OCID_RUNROOT/netns/abc" \
		ctr-net gc --conf-dir "$NET_D"
	[ -z "$output" ]
	[ "$(cd "$OCID_ROOT/networks" && echo *)" = "abc.json one.json two.json" ]
	# what a reboot takes away
	net ns rm --force one
	net ns rm --force abc
	gc
	[ "$output" = "$(printf '%s\n' '{"id":"abc","ifname":"eth0","network":"web"}' \
		'{"id":"one","ifname":"eth0","network":"web"}')" ]
	[ "$(cd "$LEASES/web" && ls -d 10.*)" = 10.90.1.3 ]
	[ "$(ls "$OCID_ROOT/networks")" = two.json ]
	net check web two
	gc
	[ -z "$output" ]
	# the record is gone, so the address and the port can be taken again
	net ns create one
	net add web one --conf-dir "$NET_D" --publish 8080:80
	net ns rm two --force
	gc --table
	[[ ${lines[0]} == CONTAINER*NETWORK*INTERFACE*NAMESPACE ]]
	[[ ${lines[1]} == two*web*eth0* ]]
}

@test "gc: a container whose directory is gone goes with its namespace" {
	bridge_network web 2
	net add --conf-dir "$NET_D" <<<"$(document abc)"
	net add --conf-dir "$NET_D" --network none <<<"$(document none)"
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "free"}}' # names no directory
	gc
	[ -z "$output" ]
	# that it cannot be looked at does not mean that it is gone
	fault access,faccessat,faccessat2:error=EIO
	tool nsenter --net="$HOST" "${FAULTY[@]}" -P "$BATS_TEST_TMPDIR/abc" ctr-net gc --conf-dir "$NET_D"
	[ -z "$output" ]
	rm -r "$BATS_TEST_TMPDIR"/{abc,none}
	gc
	[ "$output" = "$(printf '%s\n' '{"id":"abc","ifname":"eth0","network":"web"}' \
		'{"id":"abc","netns":"'"$OCID_RUNROOT"'/netns/abc"}' \
		'{"id":"none","netns":"'"$OCID_RUNROOT"'/netns/none"}')" ]
	[ "$(ls "$OCID_RUNROOT/netns")" = free ]
}

@test "gc: the firewall rules of ipMasq go also where the namespace went first" {
	bridge_network web 4 "$PORTMAP"
	network link '{"type": "ptp", "ipMasq": true, "ipam": {"type": "host-local", "dataDir": "'"$LEASES"'",
		"ranges": [[{"subnet": "10.90.5.0/24"}], [{"subnet": "2001:db8:5::/64"}]]}}'
	net ns create one
	net add web one --conf-dir "$NET_D" --publish 8080:80
	net add link one --conf-dir "$NET_D" --ifname peer
	net ns create two
	net add web two --conf-dir "$NET_D"
	[ "$(on_host iptables-save -t nat | grep -c -- '-A POSTROUTING .*name: \\"\(web\|link\)')" -ge 3 ]
	on_host ip6tables-save -t nat | grep -q -- '-A POSTROUTING .*2001:db8:5'
	net ns rm --force one
	net ns rm --force two
	net del --id two
	gc
	[ "$(jq -r .ifname <<<"$output" | paste -sd' ')" = "peer eth0" ]
	lacks '-A POSTROUTING .*10\.90|CNI-[0-9a-f]{24}' on_host iptables-save -t nat
	lacks '2001:db8:5|CNI-[0-9a-f]{24}' on_host ip6tables-save -t nat
	nothing_left
	# no interface of a stand-in is left on the host
	lacks 'peer|other' on_host ip -o link show
}

@test "gc: plugins that fail without a namespace get a stand-in for one that is gone" {
	plain_network web 6 '{"type": "sbr"}'
	net ns create one
	net ns create two
	net add web one --conf-dir "$NET_D"
	net add web two --conf-dir "$NET_D"
	net ns rm --force one
	net ns rm --force two
	net del --id two
	gc
	[ "$output" = '{"id":"one","ifname":"eth0","network":"web"}' ]
	nothing_left
	lacks 'eth0|peer' on_host ip -o link show
}

@test "gc: what an add that was killed has left" {
	bridge_network web 3 "$PORTMAP" '{"type": "firewall"}'
	document abc >"$BATS_TEST_TMPDIR/in"
	for n in {1..20}; do
		nsenter --net="$HOST" ctr-net add --conf-dir "$NET_D" --publish 8080:80 \
			<"$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.$(printf '%03d' $((n * 5 + RANDOM % 5)))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		gc
		# the kill may have come too late
		if [ -e "$OCID_ROOT/networks/abc.json" ]; then
			[ "$(tail -n 1 "$OCID_ROOT/networks/abc.json")" = '{"ready":true}' ]
			net del --id abc
		fi
		nothing_left
	done
}

@test "gc: a namespace whose network cannot be taken down stays for another try" {
	plugin stuck <<-'END'
		[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.0.0"}' && exit 0
		[ -e "$seen/mended" ] && exit 0
		exit 1
	END
	network bad '{"type": "stuck"}'
	net add --conf-dir "$NET_D" <<<"$(document abc)"
	rm -r "$BATS_TEST_TMPDIR/abc"
	net 1 gc --conf-dir "$NET_D"
	[ -e "$OCID_RUNROOT/netns/abc" ]
	touch "$BATS_TEST_TMPDIR/mended"
	gc
	[ "$(jq -c 'keys' <<<"$output" | paste -sd' ')" = '["id","ifname","network"] ["id","netns"]' ]
	[ ! -e "$OCID_RUNROOT/netns/abc" ]
}

@test "gc: what cannot be removed is told of, the rest is removed" {
	plugin_nothing
	plugin stuck <<-'END'
		[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.0.0"}' && exit 0
		[ -e "$seen/mended" ] && exit 0
		echo '{"code": 11, "msg": "not now"}'
		exit 1
	END
	network bad '{"type": "stuck"}'
	network good "$NOTHING"
	for name in a b c; do
		net ns create "$name"
		net add bad "$name" --conf-dir "$NET_D"
		net add good "$name" --conf-dir "$NET_D" --ifname eth1
		net ns rm --force "$name"
	done
	echo '{' >"$OCID_ROOT/networks/d.json"
	echo >>"$OCID_ROOT/networks/d.json"
	net 8 gc --conf-dir "$NET_D"
	error_is temporary "a: network bad: plugin stuck: not now"
	[ "$(grep -c 'warning: [bcd]: ' <<<"$stderr")" -eq 3 ]
	[ "$(jq -c '[.id, .network]' <<<"$output" | paste -sd' ')" = '["a","good"] ["b","good"] ["c","good"]' ]
	rm "$OCID_ROOT/networks/d.json"
	touch "$BATS_TEST_TMPDIR/mended"
	gc
	[ "$(jq -c '[.id, .network]' <<<"$output" | paste -sd' ')" = '["a","bad"] ["b","bad"] ["c","bad"]' ]
}

# A plugin of CNI 1.1.0 that notes what GC gives it.
collector() {
	plugin "$1" <<-END
		case \$CNI_COMMAND in
		ADD) echo '{"cniVersion": "1.1.0"}' ;;
		GC)
			cat >"\$seen/$1.in"
			env | grep ^CNI_ | sort >"\$seen/$1.env"
			[ ! -e "\$seen/broken" ] || { echo '{"code": 100, "msg": "broken"}'; exit 1; }
			;;
		esac
	END
}

@test "gc: plugins of CNI 1.1.0 are told which attachments are valid" {
	collector first
	collector second
	CNI_VERSION=1.1.0 network new '{"type": "first", "key": 1, "capabilities": {"mac": true}}' '{"type": "second"}'
	CNI_VERSION=1.0.0 network old '{"type": "first"}'
	for name in a b c; do
		net ns create "$name"
		net add new "$name" --conf-dir "$NET_D"
	done
	net add new a --conf-dir "$NET_D" --ifname net1
	net add old a --conf-dir "$NET_D" --ifname old0
	net ns rm --force b
	gc
	[ "$output" = '{"id":"b","ifname":"eth0","network":"new"}' ]
	[ "$(jq -cS . "$BATS_TEST_TMPDIR/first.in")" = '{"cni.dev/attachments":[{"containerID":"a","ifname":"eth0"},{"containerID":"a","ifname":"net1"},{"containerID":"c","ifname":"eth0"}],"cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"},{"containerID":"a","ifname":"net1"},{"containerID":"c","ifname":"eth0"}],"cniVersion":"1.1.0","key":1,"name":"new","type":"first"}' ]
	[ -e "$BATS_TEST_TMPDIR/second.in" ]
	[ "$(cat "$BATS_TEST_TMPDIR/first.env")" = "$(printf '%s\n' CNI_COMMAND=GC "CNI_PATH=$CNI_PATH")" ]
	# a plugin that fails does not keep the others from it
	touch "$BATS_TEST_TMPDIR/broken"
	rm "$BATS_TEST_TMPDIR"/*.in
	net 1 gc --conf-dir "$NET_D"
	error_is failed "new: plugin first: broken"
	[ -e "$BATS_TEST_TMPDIR/second.in" ]
}

@test "gc: disableGC is honoured" {
	collector first
	echo '{"cniVersion": "1.1.0", "name": "shared", "disableGC": true, "plugins": [{"type": "first"}]}' \
		>"$NET_D/shared.conflist"
	net ns create a
	net add shared a --conf-dir "$NET_D"
	net ns rm --force a
	gc
	[ "$output" = '{"id":"a","ifname":"eth0","network":"shared"}' ]
	[ ! -e "$BATS_TEST_TMPDIR/first.in" ]
}

@test "gc: nothing is added to a network while its plugins collect" {
	plugin slow <<-'END'
		[ "$CNI_COMMAND" = GC ] && touch "$seen/started" && sleep 1
		echo "$CNI_COMMAND" >>"$seen/order"
		[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.1.0"}'
		exit 0
	END
	CNI_VERSION=1.1.0 network slow '{"type": "slow"}'
	net ns create a
	nsenter --net="$HOST" ctr-net gc --conf-dir "$NET_D" 3>&- &
	wait_for 5 test -e "$BATS_TEST_TMPDIR/started"
	net add slow a --conf-dir "$NET_D"
	wait
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "GC,ADD" ]
}

@test "gc: plugins collect when no container is being taken off the network" {
	plugin slow <<-'END'
		[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.1.0"}' && exit 0
		touch "$seen/$CNI_COMMAND"
		[ "$CNI_COMMAND" = DEL ] && sleep 1
		echo "$CNI_COMMAND" >>"$seen/order"
		exit 0
	END
	CNI_VERSION=1.1.0 network slow '{"type": "slow"}'
	for name in a b; do net ns create "$name"; net add slow "$name" --conf-dir "$NET_D"; done
	nsenter --net="$HOST" ctr-net del slow b 3>&- &
	wait_for 5 test -e "$BATS_TEST_TMPDIR/DEL"
	net gc --conf-dir "$NET_D"
	wait
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "DEL,GC" ]
}

@test "gc: the lock file of a process that was killed goes" {
	net ns list
	net ns create one # makes the directories
	touch "$OCID_RUNROOT/locks/network-killed" "$OCID_RUNROOT/locks/image-other"
	gc
	[ ! -e "$OCID_RUNROOT/locks/network-killed" ]
	[ -e "$OCID_RUNROOT/locks/image-other" ]
	rm "$OCID_RUNROOT/locks/image-other"
}

@test "gc: with nothing there is nothing to do" {
	gc
	[ -z "$output$stderr" ]
	net 2 gc operand
}

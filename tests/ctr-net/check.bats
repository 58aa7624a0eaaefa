#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	take_down
	nothing_left
}

# Without ipMasq: the plugin finds those rules by the addresses, which these tests remove.
plain_network() {
	network "$1" '{"type": "bridge", "bridge": "br'"$2"'", "isGateway": true, "ipam": {
		"type": "host-local", "dataDir": "'"$LEASES"'", "subnet": "10.90.'"$2"'.0/24"}}'
}

inside() {
	nsenter --net="$OCID_RUNROOT/netns/$1" "${@:2}"
}

@test "check: the reference plugins find what is missing" {
	plain_network web 1
	net ns create one
	net add web one --conf-dir "$NET_D"
	net check web one
	[ "$output" = '{"checked":true,"ifname":"eth0","network":"web"}' ]
	net check --id one
	[ "$output" = '{"checked":true,"ifname":"eth0","network":"web"}' ]
	inside one ip address flush dev eth0
	net 1 check web one
	error_is failed "network web: plugin bridge: "
	[ -z "$output" ]
	inside one ip link delete eth0
	net 1 check web one
	error_is failed "eth0"
}

@test "check: a document passes through as it came, and all its networks are checked" {
	plain_network web 2
	plain_network db 3
	net add --conf-dir "$NET_D" --network web --network db <<<'{"rootfs": {"id": "abc"}, "kept": [1]}'
	document=$output
	net check <<<"$document"
	[ "$output" = "$document" ]
	net check --id abc --table
	[[ ${lines[0]} == NETWORK*INTERFACE*CHECKED ]]
	[[ ${lines[2]} == db*eth1*true ]]
	inside abc ip link delete eth1
	net 1 check <<<"$document"
	error_is failed "network db: plugin bridge"
	[ -z "$output" ]
}

# A plugin that notes what CHECK gives it, and fails where $seen/broken.TYPE says so.
checking() {
	plugin "$1" <<-END
		echo "\$CNI_COMMAND $1" >>"\$seen/order"
		[ "\$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.$2/8"}]}'
		[ "\$CNI_COMMAND" = CHECK ] || exit 0
		cat >"\$seen/$1.in"
		env | grep ^CNI_ | sort >"\$seen/$1.env"
		[ ! -e "\$seen/broken.$1" ] || { cat "\$seen/broken.$1"; exit 1; }
	END
}

@test "check: plugins run in order, each with the final result and what add gave it" {
	checking first 1
	checking second 2
	network spied '{"type": "first", "capabilities": {"mac": true}}' '{"type": "second"}'
	net ns create one
	net add spied one --conf-dir "$NET_D" --ifname if0 --cap 'mac="02:00:00:00:00:01"' --arg A=b
	: >"$BATS_TEST_TMPDIR/order"
	rm "$NET_D"/* # the configuration is that of add
	net check spied one --ifname if0
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "CHECK first,CHECK second" ]
	[ "$(jq -cS . "$BATS_TEST_TMPDIR/first.in")" = '{"cniVersion":"1.0.0","name":"spied","prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/8"}]},"runtimeConfig":{"mac":"02:00:00:00:00:01"},"type":"first"}' ]
	[ "$(jq -r '.prevResult.ips[0].address' "$BATS_TEST_TMPDIR/second.in")" = 10.0.0.2/8 ]
	[ "$(cat "$BATS_TEST_TMPDIR/first.env")" = "$(sort <<-END
		CNI_ARGS=A=b
		CNI_COMMAND=CHECK
		CNI_CONTAINERID=one
		CNI_IFNAME=if0
		CNI_NETNS=$OCID_RUNROOT/netns/one
		CNI_PATH=$CNI_PATH
	END
	)" ]
	# the first error ends the chain, with its code's exit status
	echo '{"code": 11, "msg": "not yet"}' >"$BATS_TEST_TMPDIR/broken.first"
	: >"$BATS_TEST_TMPDIR/order"
	net 8 check spied one --ifname if0
	error_is temporary "network spied: plugin first: not yet"
	[ "$(cat "$BATS_TEST_TMPDIR/order")" = "CHECK first" ]
}

@test "check: disableCheck is honoured, and CNI before 0.4.0 has no CHECK" {
	checking first 1
	net ns create one
	echo '{"cniVersion": "1.0.0", "name": "off", "disableCheck": true,
		"plugins": [{"type": "first"}]}' >"$NET_D/off.conflist"
	net add off one --conf-dir "$NET_D"
	net check off one
	[ "$output" = '{"checked":false,"ifname":"eth0","network":"off"}' ]
	CNI_VERSION=0.3.1 network old '{"type": "first"}'
	net add old one --conf-dir "$NET_D" --ifname eth1
	net 10 check old one --ifname eth1
	error_is unsupported "CNI 0.3.1 cannot check"
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD first,ADD first" ]
	CNI_VERSION=0.4.0 network new '{"type": "first"}'
	net add new one --conf-dir "$NET_D" --ifname eth2
	net check new one --ifname eth2
}

@test "check: what is not connected, gone or half done" {
	plugin_nothing
	network web "$NOTHING"
	net 3 check --id never-was
	error_is not-found "never-was is not connected"
	[ -z "$(find "$OCID_RUNROOT/locks" -name 'network-*')" ]
	net ns create one
	net 3 check web one
	net add web one --conf-dir "$NET_D"
	net 3 check db one
	error_is not-found "one is not connected to network db by eth0"
	net ns rm --force one
	net 3 check web one
	error_is not-found "namespace $OCID_RUNROOT/netns/one is gone"
	net del --id one

	# a killed add
	net ns create one
	net add web one --conf-dir "$NET_D"
	head -n 1 "$OCID_ROOT/networks/one.json" >"$BATS_TEST_TMPDIR/begun"
	cat "$BATS_TEST_TMPDIR/begun" >"$OCID_ROOT/networks/one.json"
	net 1 check web one
	error_is failed "add has not finished"
	# connected to no network, as asked for
	net add --network none <<<'{"rootfs": {"id": "abc"}}'
	net check --id abc
	[ -z "$output" ]
}

@test "check: malformed calls are exit 2" {
	net 2 check web
	error_is usage "NETNS"
	net 2 check --id a/b
	net 2 check --id one --ifname eth0
	net 2 check web one --ifname a/b
	net 2 check --id one --timeout 0
	net 2 check <<<'{}'
	error_is usage "rootfs.id"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

READY='{"message":"","reason":"","status":true,"type":"NetworkReady"}'

@test "status: ready when there is a network whose plugins are there" {
	bridge_network web 1 "$PORTMAP"
	net status --conf-dir "$NET_D"
	[ "$output" = "$READY" ]
	net status web --conf-dir "$NET_D"
	[ "$output" = "$READY" ]
}

# not_ready EXIT TEXT [ARG…]: the condition and the error say it
not_ready() {
	local code=$1 text=$2

	shift 2
	net "$code" status --conf-dir "$NET_D" "$@"
	[[ $stderr == *"$text"* ]]
	jq -e --arg text "$text" '.type == "NetworkReady" and .status == false and
		.reason == "NetworkPluginNotReady" and (.message | contains($text))' <<<"$output"
}

@test "status: not ready without a network, or without a plugin" {
	not_ready 3 "no network is configured in $NET_D"
	bridge_network web 1
	not_ready 3 'no network "db"' db
	network gone '{"type": "bridge"}' '{"type": "missing"}'
	not_ready 3 'network gone: no CNI plugin "missing"' gone
	network addressless '{"type": "bridge", "ipam": {"type": "no-ipam"}}'
	not_ready 3 'network addressless: no CNI plugin "no-ipam"' addressless
	echo '{' >"$NET_D/00-broken.conflist"
	net status --conf-dir "$NET_D" web
	[ "$output" = "$READY" ]
	[[ $stderr == *"passing over"*"00-broken"* ]]
}

@test "status: where every file has something wrong the first is said to be" {
	echo '{' >"$NET_D/00-broken.conflist"
	echo '{"cniVersion": "1.0.0", "name": "x/y", "plugins": []}' >"$NET_D/10-other.conflist"
	not_ready 7 "no network of $NET_D can be used: $NET_D/00-broken.conflist"
	error_is integrity "(see ctr-net validate)"
}

@test "status: plugins of CNI 1.1.0 are asked" {
	for type in first second; do
		plugin "$type" <<-END
			echo "\$CNI_COMMAND $type" >>"\$seen/order"
			cat >"\$seen/in"
			env | grep ^CNI_ | sort >"\$seen/env"
			[ ! -e "\$seen/full" ] || { cat "\$seen/full"; exit 1; }
		END
	done
	CNI_VERSION=1.0.0 network old '{"type": "first"}'
	net status old --conf-dir "$NET_D"
	[ ! -e "$BATS_TEST_TMPDIR/order" ]
	CNI_VERSION=1.1.0 network new '{"type": "first"}' '{"type": "second", "capabilities": {"mac": true}}'
	net status new --conf-dir "$NET_D"
	[ "$output" = "$READY" ]
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "STATUS first,STATUS second" ]
	[ "$(jq -cS . "$BATS_TEST_TMPDIR/in")" = '{"cniVersion":"1.1.0","name":"new","type":"second"}' ]
	[ "$(cat "$BATS_TEST_TMPDIR/env")" = "$(printf '%s\n' CNI_COMMAND=STATUS "CNI_PATH=$CNI_PATH")" ]
	echo '{"code": 50, "msg": "the range is full"}' >"$BATS_TEST_TMPDIR/full"
	not_ready 8 "network new: plugin first: the range is full" new
}

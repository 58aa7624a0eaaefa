#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "versions: what the reference plugins say" {
	net versions bridge portmap
	[ "$(jq -r .type <<<"$output" | paste -sd' ')" = "bridge portmap" ]
	jq -se --arg path "$DEBIAN_PLUGINS/bridge" '.[0].path == $path and
		(.[0].supportedVersions | contains(["0.3.1", "0.4.0", "1.0.0"]))' <<<"$output"
	net versions --plugin-dir "$DEBIAN_PLUGINS"
	[ "$(jq -r .type <<<"$output")" = "$(ls "$DEBIAN_PLUGINS")" ]
	net versions --table bridge
	[[ ${lines[0]} == PLUGIN*CNI*PATH ]]
	[[ ${lines[1]} == bridge*0.4.0,1.0.0*$DEBIAN_PLUGINS/bridge ]]
}

@test "versions: a plugin is given VERSION and nothing of a container" {
	plugin spy <<-'END'
		cat >"$seen/in"
		env | grep ^CNI_ | sort >"$seen/env"
		echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.1.0"]}'
	END
	net versions spy
	[ "$output" = '{"path":"'"$PLUGINS"'/spy","supportedVersions":["1.1.0"],"type":"spy"}' ]
	[ "$(cat "$BATS_TEST_TMPDIR/in")" = '{"cniVersion":"1.1.0"}' ]
	[ "$(cat "$BATS_TEST_TMPDIR/env")" = "$(printf '%s\n' CNI_COMMAND=VERSION "CNI_PATH=$CNI_PATH")" ]
}

@test "versions: the first directory counts, and what is no plugin is told of" {
	mkdir -p "$BATS_TEST_TMPDIR/second"
	plugin twice <<<'echo "{\"supportedVersions\": [\"0.4.0\"]}"'
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/second/twice"
	chmod +x "$BATS_TEST_TMPDIR/second/twice"
	echo text >"$PLUGINS/README"
	net versions --plugin-dir "$PLUGINS" --plugin-dir "$BATS_TEST_TMPDIR/second" --plugin-dir /no/such
	[ "$(jq -c '[.type, .supportedVersions]' <<<"$output")" = '["twice",["0.4.0"]]' ]

	for answer in '{}' '[]' 'x' '{"supportedVersions": [1]}' '{"supportedVersions": "1.0.0"}'; do
		plugin bad <<<"echo '$answer'"
		net 7 versions --plugin-dir "$PLUGINS"
		error_is integrity "the versions of plugin bad"
		[ "$(jq -r .type <<<"$output")" = twice ]
	done
}

@test "versions: a plugin that is missing, or hangs" {
	net 3 versions no-such-plugin
	error_is not-found 'no CNI plugin "no-such-plugin"'
	net 2 versions ../bridge
	plugin hanging <<<'sleep 987'
	net 8 versions hanging --timeout 1
	error_is temporary "took longer than"
}

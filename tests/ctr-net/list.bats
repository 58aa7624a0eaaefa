#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

rows() {
	jq -r .name <<<"$output" | paste -sd' '
}

@test "list: the networks by file name, the first one is the default" {
	bridge_network zulu 1 "$PORTMAP"
	echo '{"cniVersion": "0.4.0", "name": "single", "type": "ptp"}' >"$NET_D/10-single.conf"
	echo '{"cniVersion": "1.1.0", "name": "json", "type": "macvlan"}' >"$NET_D/20-json.json"
	echo '{"cniVersion": "1.0.0", "name": "ignored", "type": "ptp"}' >"$NET_D/05-ignored.bak"
	mkdir "$NET_D/00-directory.conf"
	net list --conf-dir "$NET_D"
	[ "$(rows)" = "single json zulu" ]
	[ "$(jq -c .default <<<"$output" | paste -sd' ')" = "true false false" ]
	jq -se '.[2] | .plugins == ["bridge", "portmap"] and .capabilities == ["portMappings"] and
		(.file | endswith("/zulu.conflist"))' <<<"$output"
	net list --conf-dir "$NET_D" --table
	[[ ${lines[0]} == NAME*CNI*PLUGINS*CAPABILITIES*FILE ]]
	[[ ${lines[3]} == zulu*1.0.0*bridge,portmap*portMappings*zulu.conflist ]]
}

@test "list: directories in the order given, none is no error" {
	mkdir "$BATS_TEST_TMPDIR/second"
	network b "$NOTHING"
	echo '{"cniVersion": "1.0.0", "name": "a", "type": "x"}' >"$BATS_TEST_TMPDIR/second/1.conf"
	net list --conf-dir "$NET_D" --conf-dir "$BATS_TEST_TMPDIR/second"
	[ "$(rows)" = "b a" ]
	net list --conf-dir /no/such/directory
	[ -z "$output" ]
}

@test "list: malformed files are passed over with a warning that names them" {
	network good "$NOTHING"
	local n=0
	while read -r bad; do
		n=$((n + 1))
		echo "$bad" >"$NET_D/bad$n.conflist"
	done <<-'END'
		{
		[]
		{"cniVersion": "1.0.0", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0.0", "name": "a/b", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0.0", "name": "-a", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": []}
		{"cniVersion": "1.0.0", "name": "a", "plugins": {}}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [1]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [{}]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [{"type": "../x"}]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [{"type": ""}]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [{"type": "x", "capabilities": []}]}
		{"cniVersion": "1.0.0", "name": "a", "plugins": [{"type": "x", "capabilities": {"c": 1}}]}
		{"cniVersion": 1, "name": "a", "plugins": [{"type": "x"}]}
		{"name": "a", "plugins": [{"type": "x"}]}
		{"cniVersion": "0.2.0", "name": "a", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.2.0", "name": "a", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0", "name": "a", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0.0x", "name": "a", "plugins": [{"type": "x"}]}
		{"cniVersion": "1.0.0", "name": "a"}
		{"cniVersion": "1.0.0", "name": "a", "loadOnlyInlinedPlugins": true}
	END
	mkfifo "$NET_D/fifo.conf"
	ln -s /no/such/file "$NET_D/dangling.conf"
	head -c 2000000 /dev/zero >"$NET_D/huge.conf"
	network many "$(printf '{"type": "x"},%.0s' {1..64})" '{"type": "x"}'
	sed -i 's/,,/,/g' "$NET_D/many.conflist"
	net list --conf-dir "$NET_D"
	[ "$(rows)" = good ]
	[ "$(grep -c 'warning: passing over' <<<"$stderr")" -eq $((n + 3)) ]
	for ((; n > 0; n--)); do
		[[ $stderr == *"bad$n.conflist"* ]]
	done
	rm "$NET_D"/*
}

@test "list: the highest version that we speak is chosen" {
	echo '{"cniVersion": "0.4.0", "cniVersions": ["0.3.1", "1.0.0", "1.1.0", "2.0.0"],
		"name": "many", "plugins": [{"type": "x"}]}' >"$NET_D/a.conflist"
	echo '{"cniVersion": "9.0.0", "cniVersions": ["0.4.0"], "name": "newer",
		"plugins": [{"type": "x"}]}' >"$NET_D/b.conflist"
	net list --conf-dir "$NET_D"
	[ "$(jq -r .cniVersion <<<"$output" | paste -sd' ')" = "1.1.0 0.4.0" ]
}

@test "list: plugins from the folder of the network's name belong to it, unless it says no" {
	mkdir "$NET_D/open" "$NET_D/closed"
	echo '{"cniVersion": "1.1.0", "name": "open", "plugins": [{"type": "x"}]}' >"$NET_D/a.conflist"
	echo '{"cniVersion": "1.1.0", "name": "closed", "loadOnlyInlinedPlugins": true,
		"plugins": [{"type": "x"}]}' >"$NET_D/b.conflist"
	for network in open closed; do
		echo '{"type": "last"}' >"$NET_D/$network/20.conf"
		echo '{"type": "next"}' >"$NET_D/$network/10.conf"
		echo '{"type": "not"}' >"$NET_D/$network/10.json"
	done
	net list --conf-dir "$NET_D"
	[ "$(jq -c .plugins <<<"$output" | paste -sd' ')" = '["x","next","last"] ["x"]' ]
	echo '{}' >"$NET_D/open/10.conf"
	net list --conf-dir "$NET_D"
	[ "$(rows)" = closed ]
	[[ $stderr == *"open/10.conf"* ]]
}

@test "list: a network is looked for by its name in lists before single plugins" {
	plugin_nothing
	mkdir -p "$NET_D"
	echo '{"cniVersion": "1.0.0", "name": "web", "type": "missing"}' >"$NET_D/10-web.conf"
	echo '{"cniVersion": "1.0.0", "name": "web", "plugins": [{"type": "nothing"}]}' >"$NET_D/90-web.conflist"
	net ns create one
	net add web one --conf-dir "$NET_D"
	net del web one
	# the default network is the first file, whatever it is
	net 3 status --conf-dir "$NET_D"
	error_is not-found 'no CNI plugin "missing"'
	net ns rm one
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

setup() {
	rm -rf "${NET_D:?}"/* "${PLUGINS:?}"/*
	plugin x <<<'echo "{\"supportedVersions\": [\"0.4.0\", \"1.0.0\", \"1.1.0\"]}"'
}

@test "validate: nothing is said of what is right" {
	bridge_network web 1 "$PORTMAP"
	echo '{"cniVersion": "0.4.0", "name": "single", "type": "x"}' >"$NET_D/single.conf"
	mkdir "$NET_D/open"
	echo '{"cniVersion": "1.1.0", "name": "open"}' >"$NET_D/open.conflist"
	echo '{"type": "x"}' >"$NET_D/open/1.conf"
	net validate "$NET_D"/*.conf*
	[ -z "$output$stderr" ]
}

# says LINE TEXT <<END: the file END has exactly that problem, in that line or null
says() {
	local line=$1 text=$2

	cat >"$NET_D/bad.conflist"
	net 7 validate "$NET_D/bad.conflist"
	error_is integrity "1 problem"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	jq -e --arg file "$NET_D/bad.conflist" --arg text "$text" --argjson line "$line" \
		'.file == $file and .line == $line and .message == $text' <<<"$output"
}

@test "validate: every rule has its message and the line of what breaks it" {
	says 2 "not valid JSON: line 2, column 9: string or '}' expected near 'plugins'" <<-'END'
		{"cniVersion": "1.0.0", "name": "n",
		  plugins: []}
	END
	says null "not a JSON object" <<<'[]'
	says 2 "the network has no name" <<-'END'

		{"cniVersion": "1.0.0", "plugins": [{"type": "x"}]}
	END
	says 3 '"a/b" cannot be the name of a network' <<-'END'
		{
		  "cniVersion": "1.0.0",
		  "name": "a/b", "plugins": [{"type": "x"}]}
	END
	says 2 'CNI version "2.0.0" is not supported' <<-'END'
		{"name": "n",
		 "cniVersion": "2.0.0", "plugins": [{"type": "x"}]}
	END
	says 3 '"plugins" is no array' <<-'END'
		{"cniVersion": "1.0.0", "name": "n",
		 "other": [1, {"plugins": "\"}"}],
		 "plugins": {}}
	END
	says 2 "cniVersion or cniVersions is malformed" <<-'END'
		{"plugins": [{"type": "x"}], "name": "n",
		 "cniVersions": "1.0.0"}
	END
	says 3 "an entry of cniVersions is no version" <<-'END'
		{"plugins": [{"type": "x"}], "name": "n",
		 "cniVersions": ["1.0.0",
		   "1.x"]}
	END
	for key in disableCheck disableGC loadOnlyInlinedPlugins; do
		says 2 "$key is neither true nor false" <<-END
			{"cniVersion": "1.1.0", "name": "n", "plugins": [{"type": "x"}],
			 "$key": "maybe"}
		END
	done
	says 2 'plugin x: "../ipam" cannot be the type of a plugin' <<-'END'
		{"cniVersion": "1.1.0", "name": "n", "plugins": [{"type": "x", "ipam": {
		  "type": "../ipam"}}]}
	END
	says 2 "there are no plugins" <<-'END'
		{"cniVersion": "1.0.0", "name": "n",
		 "plugins": []}
	END
	says 3 'a plugin without "type"' <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [
		   {"type": "x"},
		   {"typ": "x"}]}
	END
	says 4 '"../x" cannot be the type of a plugin' <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [
		   {"type": "x", "deep": [[[1, 2.5e3, true, null]], "a]b\\"]},
		   {"a": {},
		    "type": "../x"}]}
	END
	says 2 "plugin x: capabilities is no object" <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "x",
		   "capabilities": []}]}
	END
	says 2 "plugin x: capability mac is neither true nor false" <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "x",
		   "capabilities": {"mac": 1}}]}
	END
	says 3 'no CNI plugin "missing" in '"$CNI_PATH" <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [
		   {"type": "x"},
		   {"type": "missing"}]}
	END
	says 2 'no CNI plugin "no-ipam" in '"$CNI_PATH" <<-'END'
		{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "x", "ipam": {
		   "type": "no-ipam"}}]}
	END
	says 2 "plugin x does not speak CNI 0.3.1" <<-'END'
		{"cniVersion": "0.3.1", "name": "n",
		 "type": "x"}
	END
}

@test "validate: all problems of all files, in a table for people" {
	mkdir "$NET_D/open"
	echo '{"cniVersion": "1.1.0", "name": "open", "plugins": [{"type": "a"}, {"type": "b"}]}' \
		>"$NET_D/open.conflist"
	printf '{\n"type": 1}' >"$NET_D/open/1.conf"
	cp "$NET_D/open.conflist" "$NET_D/same.conflist"
	cd "$NET_D"
	net 7 validate open.conflist same.conflist --table
	error_is integrity "7 problems"
	[[ ${lines[0]} == FILE*LINE*PROBLEM ]]
	[[ ${lines[1]} == "open.conflist"*1*'no CNI plugin "a"'* ]]
	[[ ${lines[3]} == "./open/1.conf"*2*'a plugin without "type"' ]]
	[[ ${lines[4]} == "same.conflist"*1*'network "open" is also in open.conflist' ]]
}

@test "validate: a file that is not there is exit 3" {
	net 3 validate "$NET_D/none.conflist"
	error_is not-found "none.conflist"
	net 2 validate
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

update() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	run "-$expected" --separate-stderr ocid-shim update "$1" <<<"$2"
	echo "$output$stderr"
}

@test "update: what is named changes, the rest stays" {
	bundle one 'exec sleep 100' '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 20}}'
	shim run --bundle "$BUNDLE" one
	update one '{"pids": {"limit": 30}, "cpu": {"shares": 512, "quota": null}, "memory": null}'
	[ "$(jq -r .status <<<"$output")" = running ]
	shim stats one
	[ "$(jq .pids.limit <<<"$output")" -eq 30 ]
	[ "$(jq '.memory | .availableBytes.value + .workingSetBytes.value' <<<"$output")" -eq 67108864 ]
	update one '{"memory": {"limit": 134217728}}'
	shim stats one
	[ "$(jq '.memory | .availableBytes.value + .workingSetBytes.value' <<<"$output")" -eq 134217728 ]
	update one '{}'
	shim rm --force one
}

@test "update: what cannot be done is said in one line" {
	bundle two 'exec sleep 100'
	shim run --bundle "$BUNDLE" two
	update 10 two '{"devices": []}'
	error_is unsupported '"devices" cannot be changed'
	for input in '[]' '{"cpu": 1}' '{"hugepageLimits": {}}' '{' '' '{"cpu":{},"cpu":{}}'; do
		update 7 two "$input"
		error_is integrity
	done
	update 7 two ''
	error_is integrity "linux.resources"
	update 1 two '{"cpu": {"cpus": "99999"}}'
	error_is failed runc:
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	update 3 none '{}'
	shim stop --timeout 0 two
	update 3 two '{}'
	error_is not-found 'has stopped'
	update 2 ../two '{}'
	shim rm two
}

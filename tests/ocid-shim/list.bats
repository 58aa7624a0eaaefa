#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "list: a line a container, whatever its state; ps: those that have not stopped" {
	shim list
	[ -z "$output" ]
	bundle run 'exec sleep 100'
	shim run --bundle "$BUNDLE" running
	shim create --bundle "$BUNDLE" created
	quick stopped 'exit 3'
	shim list
	[ "$(jq -c '[.id, .status, .exitCode]' <<<"$output" | tr '\n' ' ')" = \
		'["created","created",null] ["running","running",null] ["stopped","stopped",3] ' ]
	shim ps
	[ "$(jq -r .id <<<"$output" | tr '\n' ' ')" = 'created running ' ]
	shim ps --all
	[ "$(wc -l <<<"$output")" -eq 3 ]
	shim rm --force running created stopped
}

@test "list: a table for people" {
	quick one 'exit 3'
	shim list --table
	[[ ${lines[0]} == ID*PID*STATUS*EXIT*CREATED*BUNDLE ]]
	[[ ${lines[1]} == one*stopped*3* ]]
	shim rm one
}

@test "list: what is no container in the directory is passed over" {
	quick one 'exit 0'
	mkdir "$OCID_RUNROOT/containers/half" "$OCID_RUNROOT/containers/.hidden"
	ln -s one "$OCID_RUNROOT/containers/link"
	touch "$OCID_RUNROOT/containers/file"
	shim list
	[ "$(jq -r .id <<<"$output")" = one ]
	shim 7 state link
	rm -r "$OCID_RUNROOT"/containers/{half,.hidden,link,file}
	shim rm one
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "start: a created container runs" {
	bundle one 'echo ran; exec sleep 100'
	shim create --bundle "$BUNDLE" one
	shim start one
	jq -e '.status == "running" and .started > .created' <<<"$output"
	wait_for 5 grep -q ran "$BUNDLE/log"
	shim rm --force one
}

@test "start: what runs or has stopped is exit 5" {
	bundle two 'exec sleep 100'
	shim run --bundle "$BUNDLE" two
	shim 5 start two
	error_is in-use "running already"
	shim kill two KILL
	shim wait two
	shim 5 start two
	error_is in-use "stopped already"
	shim rm two
}

@test "start: no such container is exit 3, no id exit 2" {
	shim 3 start none
	error_is not-found "ocid-shim list"
	shim 2 start ../none
	shim 2 start
}

@test "start: the runtime's refusal is one line" {
	bundle gone 'exit 0'
	shim create --bundle "$BUNDLE" gone
	kill -9 "$(jq .process.pid <<<"$output")"
	ocid-shim wait gone
	shim 5 start gone
	shim rm gone
}

@test "start: a container whose monitor was killed is refused" {
	bundle orphan 'exit 0'
	shim create --bundle "$BUNDLE" orphan
	monitor=$(cat "$OCID_RUNROOT/containers/orphan/shim.pid")
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	shim 1 start orphan
	error_is failed "monitor died"
	shim rm orphan
	nothing_left
}

@test "start: a command that is no program ends the container, and the code is kept" {
	printf 'neither ELF nor script' >"$ROOTFS/bin/garbage"
	chmod +x "$ROOTFS/bin/garbage"
	bundle garbage 'exit 0' '.process.args = ["/bin/garbage"]'
	shim create --bundle "$BUNDLE" garbage
	ocid-shim start garbage || true
	shim wait garbage
	jq -e '.code != 0' <<<"$output"
	shim rm garbage
	nothing_left
}

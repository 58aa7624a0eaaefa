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

@test "start: what the runtime has started for one who was killed is started" {
	bundle half 'exec sleep 100'
	shim create --bundle "$BUNDLE" half
	runc --root "$OCID_RUNROOT/runtime" start half
	shim state half
	jq -e '.status == "running" or .status == "created"' <<<"$output"
	shim start half
	jq -e '.status == "running"' <<<"$output"
	shim 5 start half
	shim rm --force half
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

@test "start: it has started before it has ended, however short it was" {
	for short in 1 2 3; do
		quick "short$short" 'exit 0'
		shim state "short$short"
		[[ $(jq -r .started <<<"$output") < $(jq -r .finished <<<"$output") ]]
		shim rm "short$short"
	done
}

@test "start: what the runtime could not start waits still" {
	runtime refuses <<-'END'
		for word; do [ "$word" = start ] && [ ! -e "$seen/may" ] && exit 3; done
		exec runc "$@"
	END
	bundle refused 'exit 4'
	shim create --runtime "$RUNTIME" --bundle "$BUNDLE" refused
	shim 1 start refused
	is_status refused created
	[ "$(ocid-shim state refused | jq .started)" = null ]
	touch "$BATS_TEST_TMPDIR/may"
	shim start refused
	[ "$(code refused)" -eq 4 ]
	shim rm refused
}

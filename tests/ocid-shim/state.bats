#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "state: created, running, stopped, with the OCI fields and ours" {
	bundle one 'exec sleep 100' '.annotations = {"org.example": "yes"}'
	shim create --bundle "$BUNDLE" one
	shim state one
	jq -e --arg bundle "$BUNDLE" '.ociVersion == "1.0.2" and .id == "one" and .bundle == $bundle
		and .status == "created" and .annotations["org.example"] == "yes" and .pid > 1
		and (has("exitCode") | not)' <<<"$output"
	shim start one
	shim state one
	jq -e '.status == "running" and .started > .created' <<<"$output"
	shim kill one KILL
	shim wait one
	shim state one
	jq -e '.status == "stopped" and .pid == 0 and .exitCode == 137 and .signal == 9
		and .finished > .started' <<<"$output"
	shim rm one
	shim 3 state one
}

@test "state: while the container is paused by other means, it says so" {
	bundle paused 'exec sleep 100'
	shim run --bundle "$BUNDLE" paused
	runc --root "$OCID_RUNROOT/runtime" pause paused
	is_status paused paused
	runc --root "$OCID_RUNROOT/runtime" resume paused
	is_status paused running
	shim rm --force paused
}

@test "state: started by other means, it runs" {
	bundle other 'exec sleep 100'
	shim create --bundle "$BUNDLE" other
	runc --root "$OCID_RUNROOT/runtime" start other
	is_status other running
	shim rm --force other
	nothing_left
}

@test "state: the monitor was killed, the container goes on" {
	bundle orphan 'exec sleep 100'
	shim run --bundle "$BUNDLE" orphan
	monitor=$(cat "$OCID_RUNROOT/containers/orphan/shim.pid")
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	shim state orphan
	jq -e '.status == "running" and .monitor == "dead"' <<<"$output"
	shim kill orphan KILL
	shim 1 wait orphan
	error_is failed "monitor died"
	jq -e '.code == null' <<<"$output"
	shim state orphan
	jq -e '.status == "stopped" and .exitCode == null and (.exitError | contains("monitor"))' \
		<<<"$output"
	shim rm orphan
	nothing_left
}

@test "state: another process with the monitor's number does not pass for it" {
	bundle reuse 'exec sleep 100'
	shim run --bundle "$BUNDLE" reuse
	monitor=$(cat "$OCID_RUNROOT/containers/reuse/shim.pid")
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	echo $$ >"$OCID_RUNROOT/containers/reuse/shim.pid"
	shim state reuse
	jq -e '.monitor == "dead"' <<<"$output"
	shim rm --force reuse
	nothing_left
}

@test "state: the runtime is gone, what is on disk still tells" {
	cp "$(command -v runc)" "$BATS_TEST_TMPDIR/runc"
	bundle gone 'exit 6'
	shim run --runtime "$BATS_TEST_TMPDIR/runc" --bundle "$BUNDLE" gone
	shim wait gone
	mv "$BATS_TEST_TMPDIR/runc" "$BATS_TEST_TMPDIR/away"
	shim state gone
	jq -e '.status == "stopped" and .exitCode == 6' <<<"$output"
	mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/runc"
	shim rm gone
}

@test "state: a broken state.json is exit 7" {
	bundle broken 'exit 0'
	shim run --bundle "$BUNDLE" broken
	shim wait broken
	cp "$OCID_RUNROOT/containers/broken/state.json" "$BATS_TEST_TMPDIR/"
	echo '{' >"$OCID_RUNROOT/containers/broken/state.json"
	shim 7 state broken
	error_is integrity "broken"
	cp "$BATS_TEST_TMPDIR/state.json" "$OCID_RUNROOT/containers/broken/"
	shim rm broken
}

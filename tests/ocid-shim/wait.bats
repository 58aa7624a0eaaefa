#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

@test "wait: one object a container, in the order asked" {
	bundle a 'sleep 0.3; exit 1'
	shim run --bundle "$BUNDLE" a
	bundle b 'exit 2'
	shim run --bundle "$BUNDLE" b
	shim wait a b a
	[ "$(jq -c '[.id, .code]' <<<"$output" | tr '\n' ' ')" = '["a",1] ["b",2] ["a",1] ' ]
	jq -es 'all(.finished | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{9}Z$"))' <<<"$output"
	shim rm a b
}

@test "wait: many at once all hear of it, also when it is removed at that moment" {
	bundle many 'exec sleep 100'
	shim run --bundle "$BUNDLE" many
	for i in {1..20}; do
		ocid-shim wait many >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
		pids[i]=$!
	done
	sleep 0.3
	shim rm --force many
	for i in {1..20}; do
		wait "${pids[i]}"
	done
	[ "$(cat "$BATS_TEST_TMPDIR"/out.* | jq -s 'map(select(.code == 137)) | length')" -eq 20 ]
	nothing_left
}

@test "wait: one that is stopped keeps no container from being removed, and says so afterwards" {
	bundle stopped 'exec sleep 100'
	shim run --bundle "$BUNDLE" stopped
	ocid-shim wait stopped >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
	stopped=$!
	ocid-shim wait stopped >"$BATS_TEST_TMPDIR/running" 3>&- &
	running=$!
	sleep 0.3
	kill -STOP "$stopped"
	TOOL_TIMEOUT=10 shim rm --force stopped
	wait "$running"
	[ "$(jq .code "$BATS_TEST_TMPDIR/running")" -eq 137 ]
	nothing_left
	kill -CONT "$stopped"
	status=0
	wait "$stopped" || status=$?
	[ "$status" -eq 1 ]
	[ "$(jq -c . "$BATS_TEST_TMPDIR/out")" = '{"code":null,"id":"stopped"}' ]
	[ "$(cat "$BATS_TEST_TMPDIR/errors")" = \
		'ocid-shim: wait: container stopped: exit code unknown, it was removed meanwhile' ]
}

@test "wait: it sleeps until then" {
	bundle sleepy 'exec sleep 100'
	shim run --bundle "$BUNDLE" sleepy
	ocid-shim wait sleepy 3>&- &
	pid=$!
	sleep 0.5
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	switches=$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$pid/status")
	sleep 1
	[ "$(awk '{ print $14 + $15 }' "/proc/$pid/stat")" -eq "$before" ]
	[ "$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$pid/status")" -eq "$switches" ]
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	is_status sleepy running
	shim rm --force sleepy
}

@test "wait: before it is started is fine too" {
	bundle early 'exit 12'
	shim create --bundle "$BUNDLE" early
	ocid-shim wait early >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	sleep 0.2
	shim start early
	wait "$pid"
	[ "$(jq .code "$BATS_TEST_TMPDIR/out")" -eq 12 ]
	shim rm early
}

@test "wait: an id that is not there is exit 3, before any waiting" {
	bundle long 'exec sleep 100'
	shim run --bundle "$BUNDLE" long
	TOOL_TIMEOUT=30 shim 3 wait long none
	error_is not-found none
	shim rm --force long
}

@test "wait: one whose end nobody knows does not keep from waiting for the others" {
	bundle lost 'exec sleep 100'
	shim run --bundle "$BUNDLE" lost
	bundle after 'sleep 0.3; exit 6'
	kill -9 "$(cat "$OCID_RUNROOT/containers/lost/shim.pid")"
	shim kill lost KILL
	shim run --bundle "$BUNDLE" after
	shim 1 wait lost after
	[ "$(jq -c .code <<<"$output" | paste -sd ' ')" = "null 6" ]
	[[ $stderr == *"container lost: exit code unknown, its monitor died" ]]
	shim rm lost after
}

@test "wait: ended for lack of memory" {
	quick oom 'exec dd if=/dev/zero of=/dev/null bs=200M count=1' \
		'.linux.resources.memory = {limit: 33554432}'
	jq -e '.code == 137 and .signal == 9 and .oomKilled' <<<"$output"
	shim state oom
	jq -e '.exitCode == 137 and .oomKilled' <<<"$output"
	shim rm oom
	quick enough 'exec dd if=/dev/zero of=/dev/null bs=2M count=1' \
		'.linux.resources.memory = {limit: 33554432}'
	jq -e '.code == 0 and (has("oomKilled") | not)' <<<"$output"
	shim rm enough
	nothing_left
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell inside expands

load common

number() {
	jq -e "$1 | numbers" <<<"$output"
}

@test "stats: CPU, memory and processes by the CRI's names" {
	bundle one 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; exec sleep 43221' \
		'.linux.resources = {memory: {limit: 67108864}, pids: {limit: 20}}'
	shim run --bundle "$BUNDLE" one
	wait_for 20 pgrep -fx 'sleep 43221'
	shim stats one
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(jq -r .id <<<"$output")" = one ]
	[ "$(number .cpu.usageCoreNanoSeconds.value)" -gt 1000000 ]
	[ "$(number .memory.usageBytes.value)" -gt 0 ]
	[ "$(number .memory.workingSetBytes.value)" -le "$(number .memory.usageBytes.value)" ]
	[ "$(($(number .memory.availableBytes.value) + $(number .memory.workingSetBytes.value)))" -eq 67108864 ]
	[ "$(number .memory.pageFaults.value)" -gt 0 ]
	number .memory.rssBytes.value
	number .memory.majorPageFaults.value
	[ "$(jq -c .pids <<<"$output")" = '{"current":1,"limit":20}' ]
	now=$(date +%s%N)
	for part in "" .cpu .memory; do
		[ "$(number "$part.timestamp")" -le "$now" ]
		[ "$(number "$part.timestamp")" -gt $((now - 60000000000)) ]
	done
	shim rm --force one
}

@test "stats: without a limit there is no such member" {
	bundle two 'exec sleep 100'
	shim run --bundle "$BUNDLE" two
	shim stats two
	[ "$(jq -c '[.pids.limit, .swap.swapAvailableBytes]' <<<"$output")" = '[null,null]' ]
	number .pids.current
	shim rm --force two
}

@test "stats: without an id of all that have not stopped; no runtime is run" {
	runtime traced <<-'END'
		echo run >>"$seen/runs"
		exec runc "$@"
	END
	for id in a b c; do
		bundle "$id" 'exec sleep 100'
		shim run --runtime "$RUNTIME" --bundle "$BUNDLE" "$id"
	done
	shim stop --timeout 0 b
	before=$(wc -l <"$BATS_TEST_TMPDIR/runs")
	shim stats
	[ "$(jq -r .id <<<"$output" | tr '\n' ' ')" = 'a c ' ]
	shim stats c a
	[ "$(jq -r .id <<<"$output" | tr '\n' ' ')" = 'c a ' ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" -eq "$before" ]
	shim stats --table
	[[ ${lines[0]} == *"WORKING SET"* ]]
	[[ ${lines[1]} =~ ^a\ +[0-9]+\ +[0-9.]+[KM] ]]
	shim 3 stats b
	error_is not-found 'has stopped'
	shim 3 stats none
	error_is not-found 'no container "none"'
	shim rm --force a b c
}

@test "stats --cgroup: of what is not one container's, such as a pod's" {
	for id in p q; do
		bundle "$id" 'exec sleep 100'
		shim run --bundle "$BUNDLE" "$id"
	done
	shim stats --cgroup "$CGROUP"
	[ "$(jq -r .id <<<"$output")" = "$CGROUP" ]
	[ "$(number .pids.current)" -eq 2 ]
	number .cpu.usageCoreNanoSeconds.value
	number .memory.workingSetBytes.value
	shim stats --cgroup "$CGROUP-none" --cgroup "$CGROUP" --cgroup relative
	[ "$(jq -r .id <<<"$output")" = "$CGROUP" ]
	shim 3 stats --cgroup "$CGROUP-none"
	error_is not-found
	for path in relative /a/../b ''; do
		shim 2 stats --cgroup "$path"
	done
	shim 2 stats --cgroup "$CGROUP" p
	shim rm --force p q
}

@test "stats: to a full disk is an error" {
	bundle full 'exec sleep 100'
	shim run --bundle "$BUNDLE" full
	run -9 --separate-stderr sh -c 'ocid-shim stats >/dev/full'
	shim rm --force full
}

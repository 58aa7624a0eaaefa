#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

# Run a container that says `ready` once it handles a signal: catcher ID SIGNAL [JQ-FILTER]
catcher() {
	bundle "$1" "trap 'exit 5' $2; echo ready; while :; do sleep 0.05; done" "${3-.}"
	shim run --bundle "$BUNDLE" "$1"
	wait_for 5 grep -q ready "$BUNDLE/log"
}

@test "stop: TERM is the default; how it ended is printed, each time" {
	catcher term TERM
	shim stop term
	jq -e '.id == "term" and .code == 5 and has("finished")' <<<"$output"
	first=$output
	shim stop --timeout 0 term
	[ "$output" = "$first" ]
	shim rm term
	nothing_left
}

@test "stop: the image's own stop signal, by name or number" {
	for signal in SIGUSR1 usr1 10; do
		catcher own USR1 ".annotations[\"org.opencontainers.image.stopSignal\"] = \"$signal\""
		shim stop own
		jq -e '.code == 5' <<<"$output"
		shim rm own
	done
}

@test "stop: a stop signal that is none is said, and TERM sent" {
	catcher bad TERM '.annotations["org.opencontainers.image.stopSignal"] = "SIGNONE"'
	shim stop bad
	jq -e '.code == 5' <<<"$output"
	[[ $stderr == *SIGNONE* ]]
	shim rm bad
}

@test "stop: KILL after the time that was given" {
	bundle deaf 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
	shim run --bundle "$BUNDLE" deaf
	wait_for 5 grep -q ready "$BUNDLE/log"
	before=$(date +%s%3N)
	shim stop --timeout 1 deaf
	jq -e '.code == 137 and .signal == 9' <<<"$output"
	[ $(($(date +%s%3N) - before)) -ge 1000 ]
	shim rm deaf
	nothing_left
}

@test "stop: a time of 0 kills at once; so does one that was never started" {
	catcher now TERM
	shim stop -t 0 now
	jq -e '.code == 137' <<<"$output"
	bundle early 'exit 0'
	shim create --bundle "$BUNDLE" early
	TOOL_TIMEOUT=5 shim stop early
	jq -e '.code == 137' <<<"$output"
	shim rm now early
	nothing_left
}

@test "stop: an interrupted one leaves the container running" {
	bundle stay 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
	shim run --bundle "$BUNDLE" stay
	wait_for 5 grep -q ready "$BUNDLE/log"
	ocid-shim stop stay 3>&- &
	pid=$!
	sleep 0.5
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	is_status stay running
	shim rm --force stay
}

@test "stop: the monitor was killed, the end is found all the same" {
	catcher orphan TERM
	monitor=$(cat "$OCID_RUNROOT/containers/orphan/shim.pid")
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	shim 1 stop orphan
	error_is failed "monitor died"
	is_status orphan stopped
	shim rm orphan
}

@test "stop: a process that cannot be looked at has not ended" {
	runtime unwilling <<-'END'
		[[ " $* " != *" kill "* ]] || { echo "not now" >&2; exit 1; }
		exec runc "$@"
	END
	bundle unseen 'exec sleep 1000'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" unseen
	pid=$(ocid-shim state unseen | jq .pid)
	for call in openat read; do
		fault "$call:error=EMFILE"
		tool 1 "${FAULTY[@]}" -P "/proc/$pid/stat" ocid-shim stop --timeout 0 unseen
		error_is failed "not now"
	done
	shim rm --force unseen
}

@test "stop: what is not there is exit 3; times that are none are usage errors" {
	shim 3 stop none
	error_is not-found none
	for seconds in -1 x 2147484; do
		shim 2 stop --timeout "$seconds" none
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

# Run a container that says `ready` once it handles a signal: catcher ID SIGNAL [JQ-FILTER]
catcher() {
	bundle "$1" "trap 'exit 5' $2; echo ready; while :; do sleep 0.05; done" "${3-.}"
	shim run --bundle "$BUNDLE" "$1"
	wait_for 5 grep -q ready "$BUNDLE/log"
}

# Run a container whose first thread has ended while another goes on, deaf to TERM: leaderless ID
leaderless() {
	local program='
import ctypes, signal, threading, time
def go_on():
    while open("/proc/1/stat").read().split(")")[1].split()[0] != "Z":
        time.sleep(0.01)
    print("ready", flush=True)
    time.sleep(1000)
for deaf in signal.SIGTERM, signal.SIGUSR1:
    signal.signal(deaf, signal.SIG_IGN)
threading.Thread(target=go_on).start()
ctypes.CDLL(None).pthread_exit(None)'

	bundle "$1" "" ".process.args = [\"/usr/bin/python3\", \"-c\",
			$(jq -n --arg text "$program" '$text')]
		| .mounts += [(\"/usr\", \"/lib\", \"/lib64\")
			| {destination: ., type: \"bind\", source: ., options: [\"rbind\", \"ro\"]}]"
	shim run --bundle "$BUNDLE" "$1"
	wait_for 10 grep -q ready "$BUNDLE/log"
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
	TOOL_TIMEOUT=30 shim stop --timeout 100 early
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

@test "stop: a process whose first thread has ended, which runtimes take for dead, gets the signals" {
	for seconds in 0 1; do
		leaderless "in-$seconds"
		is_status "in-$seconds" running
		TOOL_TIMEOUT=20 shim stop --timeout "$seconds" "in-$seconds"
		jq -e '.code == 137' <<<"$output"
		shim rm "in-$seconds"
	done
	leaderless forced
	shim kill forced USR1
	TOOL_TIMEOUT=20 shim rm --force forced
	nothing_left
}

@test "stop: the same where the monitor was killed" {
	leaderless orphan
	monitor=$(cat "$OCID_RUNROOT/containers/orphan/shim.pid")
	kill -9 "$monitor"
	wait_for 5 process_gone "$monitor"
	is_status orphan running
	TOOL_TIMEOUT=20 shim 1 stop --timeout 0 orphan
	error_is failed "monitor died"
	is_status orphan stopped
	shim rm orphan
}

@test "stop: what is not there is exit 3; times that are none are usage errors" {
	shim 3 stop none
	error_is not-found none
	for seconds in -1 x 2147484; do
		shim 2 stop --timeout "$seconds" none
	done
}

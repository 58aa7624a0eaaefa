#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	[ -z "${LISTENER-}" ] || kill "$LISTENER" 2>/dev/null || true # of a test that failed
	remove_containers
}

# Watch in the background, until the end of the test: listen [ARG…]; what it prints is in $EVENTS.
listen() {
	EVENTS=$BATS_TEST_TMPDIR/events
	ocid-shim events "$@" >"$EVENTS" 3>&- &
	LISTENER=$!
	wait_for 5 listens
}

listens() {
	find "/proc/$LISTENER/fd" -lname 'anon_inode:inotify' | grep -q . &&
		[ "$(grep -c ^inotify "/proc/$LISTENER/fdinfo"/* | awk -F: '{ n += $2 } END { print n }')" -gt 0 ]
}

heard() {
	[ "$(jq -r '"\(.id):\(.event)"' "$EVENTS" | tr '\n' ' ')" = "$1 " ]
}

hush() {
	local status=0

	kill "$LISTENER"
	wait "$LISTENER" || status=$?
	[ "$status" -eq 143 ]
}

@test "events: a container's life, with the times and the code of its record" {
	listen
	bundle one 'exit 7'
	shim create --bundle "$BUNDLE" one
	wait_for 5 heard one:created
	shim start one
	shim wait one
	wait_for 5 heard 'one:created one:started one:exited'
	shim state one
	for pair in created:created started:started exited:finished; do
		[ "$(jq -r "select(.event == \"${pair%:*}\").time" "$EVENTS")" = "$(jq -r ".${pair#*:}" <<<"$output")" ]
	done
	[ "$(jq 'select(.event == "exited").code' "$EVENTS")" -eq 7 ]
	shim rm one
	wait_for 5 heard 'one:created one:started one:exited one:removed'
	hush
}

@test "events: begin now; only those asked for; --past tells first what there is" {
	bundle old 'exit 3'
	shim run --bundle "$BUNDLE" old
	shim wait old
	bundle on 'exec sleep 100'
	shim run --bundle "$BUNDLE" on
	listen on
	shim kill on KILL
	wait_for 5 heard on:exited
	[ "$(jq -c '[.code, .signal]' "$EVENTS")" = '[137,9]' ]
	shim rm old
	hush
	heard on:exited
	listen --past
	wait_for 5 heard 'on:created on:started on:exited'
	hush
	shim rm on
	shim 2 events ../x
}

@test "events: an id that is not there is an error, unless it may come" {
	shim 3 events one
	error_is not-found '"one"'
	shim 2 events --wait ../x
	listen --wait one
	bundle one 'exit 0'
	shim run --bundle "$BUNDLE" one
	wait_for 5 heard 'one:created one:started one:exited'
	hush
	shim rm one
}

@test "events: many containers that come and go are all told of" {
	listen
	local pids=()
	for n in {1..8}; do
		bundle "c$n" "exit $n"
		(ocid-shim run --wait --bundle "$BUNDLE" "c$n" >/dev/null || ocid-shim rm "c$n") 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	wait_for 5 all_heard
	hush
}

all_heard() {
	for i in {1..8}; do
		[ "$(jq -r "select(.id == \"c$i\") | .event" "$EVENTS" | tr '\n' ' ')" = 'created started exited removed ' ] || return 1
		[ "$(jq "select(.id == \"c$i\" and .event == \"exited\").code" "$EVENTS")" -eq "$i" ] || return 1
	done
}

@test "events: memory that runs out is told while the container goes on" {
	listen
	# the kernel is to choose among those that eat: the shell is the container's first process
	bundle oom 'trap "exit 4" TERM
			(echo 1000 >/proc/self/oom_score_adj; head -c 100m /dev/zero | tail)
			while :; do sleep 0.1; done' '.linux.resources = {memory: {limit: 20971520, swap: 20971520}}'
	shim run --bundle "$BUNDLE" oom
	wait_for 20 heard 'oom:created oom:started oom:oom'
	shim kill oom
	[ "$(code oom)" -eq 4 ]
	[ "$(ocid-shim state oom | jq .oomKilled)" = true ]
	wait_for 5 heard 'oom:created oom:started oom:oom oom:exited'
	shim rm oom
	hush
}

# Have the kernel end a process for lack of memory in a cgroup below $CGROUP: run_out NAME
run_out() {
	local top=/sys/fs/cgroup/memory

	if [ ! -d "$top" ]; then
		top=/sys/fs/cgroup
		mkdir -p "$top$CGROUP"
		echo +memory | tee "$top/cgroup.subtree_control" "$top$CGROUP/cgroup.subtree_control"
	fi
	mkdir -p "$top$CGROUP/$1"
	for limit in memory.{limit_in_bytes,memsw.limit_in_bytes,max,swap.max}; do
		[ ! -e "$top$CGROUP/$1/$limit" ] || echo 20971520 >"$top$CGROUP/$1/$limit"
	done
	! sh -c 'echo 0 >"$1/cgroup.procs"; head -c 100m /dev/zero | tail' sh "$top$CGROUP/$1"
}

@test "events: memory that ran out in the cgroup before the container is not told of it" {
	run_out before
	bundle after 'exit 4' ".linux.cgroupsPath = \"$CGROUP/before\""
	shim run --bundle "$BUNDLE" run
	shim create --bundle "$BUNDLE" create
	shim start create
	shim wait run create
	jq -es 'map(.code == 4 and (has("oomKilled") | not)) | all' <<<"$output"
	shim rm run create
}

@test "events: a container whose monitor was killed is told of too, when it ends" {
	listen
	bundle dead 'exec sleep 100'
	shim run --bundle "$BUNDLE" dead
	kill -9 "$(cat "$OCID_RUNROOT/containers/dead/shim.pid")"
	wait_for 5 heard 'dead:created dead:started'
	pid=$(ocid-shim state dead | jq .pid)
	kill -9 "$pid"
	wait_for 5 heard 'dead:created dead:started dead:exited'
	[ "$(jq -c 'select(.event == "exited") | [.code, .exitError]' "$EVENTS")" = '[null,"unknown: the container'"'"'s monitor died before it"]' ]
	shim rm dead
	wait_for 5 heard 'dead:created dead:started dead:exited dead:removed'
	hush
}

@test "events: end when nobody reads them" {
	bundle pipe 'exit 0'
	mkfifo "$BATS_TEST_TMPDIR/out"
	ocid-shim events >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	exec 5<"$BATS_TEST_TMPDIR/out"
	exec 5<&-
	wait_for 5 process_gone "$pid"
	reader_gone ocid-shim events
}

# SPDX-License-Identifier: Apache-2.0
# kill -9 of a handler at any step: what it leaves is true, and the next one works on it.

load ../helpers
load helpers
load pods

setup_file() {
	file_setup
	cri_pods_setup
	tools_that_kill
}

teardown_file() {
	pods_teardown
	rm -rf "$(dirname "$SOCKET")"
	file_teardown
}

teardown() {
	[ -z "${BATS_TEST_COMPLETED-}" ] || return 0
	server_stop || true
	remove_pods || true
}

# In $KILLERS every tool, which kills the process that runs it when it is to do $KILL_AT: before
# that, or after it. The tool itself works on, as one that has just not seen its parent die; or both
# are killed, "with" it.
tools_that_kill() {
	export KILLERS=$BATS_FILE_TMPDIR/killers

	mkdir "$KILLERS"
	cat >"$KILLERS/tool" <<-'END'
		#!/bin/bash
		tool=${0##*/}
		what="$tool $1"
		[ "$tool" = ocid-pause ] && what=$tool
		trap '' TERM
		[ "$KILL_AT" = "before $what" ] && kill -KILL $PPID
		[ "$KILL_AT" = "with $what" ] && kill -KILL $PPID $$
		"$OCID_BIN/$tool" "$@"
		status=$?
		[ "$KILL_AT" = "after $what" ] && kill -KILL $PPID
		exit $status
	END
	chmod +x "$KILLERS/tool"
	for tool in ctr-net ctr-store oci-gen ocid-shim ocid-pause; do
		ln -s tool "$KILLERS/$tool"
	done
}

# killed POINT RPC REQUEST
killed() {
	local status=0

	printf '%s\n' "$3" >"$BATS_TEST_TMPDIR/request"
	KILL_AT=$1 OCID_LIBEXEC=$KILLERS ocid-dispatch call --config "$CONFIG" "$2" \
		<"$BATS_TEST_TMPDIR/request" >"$BATS_TEST_TMPDIR/killed" 2>&1 3>&- || status=$?
	echo "$1: $status"
	[ "$status" -eq 137 ]
	wait_for 10 no_tools
}

no_tools() {
	! pgrep -f "$KILLERS/"
}

nothing_half_made() {
	nothing_left &&
		[ -z "$(find "$OCID_RUNROOT/locks" -name '*pod*' -o -name 'cri-*')" ]
}

# But for files of locks, which only a start can tell from those in use.
nothing_left() {
	[ -z "$(find "$OCID_ROOT"/{pods,podnames,containers,networks} "$OCID_RUNROOT"/{pods,netns,ipcns,utsns,containers} -mindepth 1 2>/dev/null)" ] &&
		[ -z "$(mounts_left)" ]
}

RUN_POINTS=("before ctr-net ns" "after ctr-net ns" "before ocid-pause" "after ocid-pause" "before ctr-net add" "after ctr-net add")
CREATE_POINTS=("before ctr-store create" "after ctr-store create" "before oci-gen generate" "after oci-gen generate")
REMOVE_POINTS=("before ocid-shim rm" "after ocid-shim rm" "before ctr-store rm" "after ctr-store rm"
	"before ctr-net del" "after ctr-net del" "before ctr-net ns" "after ctr-net ns")

@test "killed: a pod that was being made is not ready, and the next start removes it" {
	for i in "${!RUN_POINTS[@]}"; do
		killed "${RUN_POINTS[i]}" RunPodSandbox "$(pod_request "p$i")"
	done
	call ListPodSandbox
	[ "$(jq -c '[.items[].state] | unique' <<<"$output")" = '["SANDBOX_NOTREADY"]' ]
	server_start --config "$CONFIG"
	wait_for 20 nothing_half_made
	server_stop
}

@test "killed: a pod that was being made is made when it is asked for again" {
	for i in "${!RUN_POINTS[@]}"; do
		killed "${RUN_POINTS[i]}" RunPodSandbox "$(pod_request same)"
	done
	pod same
	[ "$(field ListPodSandbox '{}' '[.items[].id] | join(" ")')" = "$POD" ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

@test "killed: a container that was being made has ended, and the next start removes it" {
	pod one
	for i in "${!CREATE_POINTS[@]}"; do
		killed "${CREATE_POINTS[i]}" CreateContainer "$(container_request "c$i" 'sleep 60')"
	done
	call ListContainers
	[ "$(jq -c '[.containers[] | .state] | unique | inside(["CONTAINER_EXITED", null])' <<<"$output")" = true ]
	server_start --config "$CONFIG"
	empty() {
		[ -z "$(find "$OCID_ROOT/containers" "$OCID_RUNROOT/containers" "$OCID_ROOT/pods/$POD/containers" -mindepth 1)" ]
	}
	wait_for 20 empty
	[ "$(field PodSandboxStatus "{\"podSandboxId\": \"$POD\"}" .status.state)" = null ]
	server_stop
	# and by being asked for again
	killed "after ctr-store create" CreateContainer "$(container_request same 'sleep 60')"
	killed "after oci-gen generate" CreateContainer "$(container_request same 'sleep 60')"
	container same true
	start
	wait_for 10 has_ended "$CTR"
	[ "$(field ListContainers '{}' '[.containers[].id] | join(" ")')" = "$CTR" ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

@test "killed: a container that was being started runs, or can be started" {
	pod one
	container one 'sleep 60'
	killed "after ocid-shim run" StartContainer "{\"containerId\": \"$CTR\"}"
	[ "$(state)" = CONTAINER_RUNNING ]
	call 5 StartContainer "{\"containerId\": \"$CTR\"}"
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
	container one 'sleep 60'
	# nobody reads what it prints, so it may take all back
	killed "before ocid-shim run" StartContainer "{\"containerId\": \"$CTR\"}"
	[[ $(state) =~ ^(null|CONTAINER_RUNNING)$ ]]
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
	container one 'sleep 60'
	killed "with ocid-shim run" StartContainer "{\"containerId\": \"$CTR\"}"
	[ "$(state)" = null ]
	# what a kill of all of it at once leaves
	mkdir "$OCID_RUNROOT/containers/$CTR"
	: >"$OCID_RUNROOT/containers/$CTR/shim.pid"
	[ "$(state)" = null ]
	[ "$(field ListContainers '{}' '.containers[0].state')" = null ]
	start
	[ "$(state)" = CONTAINER_RUNNING ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

@test "killed: a container that was being removed has ended, whether it was started or not" {
	pod one
	container one 'sleep 60'
	killed "after ocid-shim rm" RemoveContainer "{\"containerId\": \"$CTR\"}"
	[ "$(state)" = CONTAINER_EXITED ]
	[ "$(field ListContainers '{}' '.containers[0].state')" = CONTAINER_EXITED ]
	call 5 StartContainer "{\"containerId\": \"$CTR\"}"
	server_start --config "$CONFIG"
	gone() {
		[ -z "$(find "$OCID_ROOT/containers" "$OCID_ROOT/pods/$POD/containers" -mindepth 1)" ]
	}
	wait_for 20 gone
	server_stop
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

@test "killed: a pod that was being removed goes, by the next start or by another try" {
	for i in "${!REMOVE_POINTS[@]}"; do
		pod "r$i"
		container one 'sleep 60'
		start
		killed "${REMOVE_POINTS[i]}" RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
		[ "$(field ListPodSandbox '{}' '[.items[] | .state] | unique | tostring')" = '["SANDBOX_NOTREADY"]' ]
		[ $((i % 2)) -eq 0 ] || call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	done
	server_start --config "$CONFIG"
	wait_for 20 nothing_half_made
	server_stop
}

@test "killed: records that a power cut has emptied, and names without a pod, go by the next start" {
	pod one
	: >"$OCID_ROOT/pods/$POD/containers/0123.json"
	mkdir -p "$OCID_ROOT/pods/4567/containers"
	: >"$OCID_ROOT/pods/4567/document.json"
	ln -s 4567 "$OCID_ROOT/podnames/89ab"
	server_start --config "$CONFIG"
	are_gone() {
		[ ! -e "$OCID_ROOT/pods/$POD/containers/0123.json" ] && [ ! -e "$OCID_ROOT/pods/4567" ] &&
			[ ! -L "$OCID_ROOT/podnames/89ab" ]
	}
	wait_for 20 are_gone
	grep -q 'pod 4567 is removed, since its record is damaged' "$BATS_FILE_TMPDIR/server.log"
	grep -q 'container 0123 is removed, since its record is damaged' "$BATS_FILE_TMPDIR/server.log"
	[ "$(field PodSandboxStatus "{\"podSandboxId\": \"$POD\"}" .status.state)" = null ]
	server_stop
	[ "$(find "$OCID_ROOT/podnames" -type l | wc -l)" -eq 1 ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_half_made
}

@test "killed: a container that was being removed goes by another try" {
	pod one
	for point in "before ocid-shim rm" "after ocid-shim rm" "before ctr-store rm" "after ctr-store rm"; do
		container one 'sleep 60'
		start
		killed "$point" RemoveContainer "{\"containerId\": \"$CTR\"}"
		call RemoveContainer "{\"containerId\": \"$CTR\"}"
		call ListContainers
		[ "$output" = '{}' ]
	done
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

@test "killed: a server that is leaves containers alone, and the next one knows them" {
	server_start --config "$CONFIG"
	pod one
	container one 'while :; do echo x; sleep 0.05; done'
	start
	pid=$(cat "$SERVER_PID")
	kill -KILL "$pid"
	wait_for 5 process_gone "$pid"
	server_start --config "$CONFIG"
	tool cri ListContainers
	[ "$(jq -c '[.containers[] | [.id, .state]]' <<<"$output")" = "[[\"$CTR\",\"CONTAINER_RUNNING\"]]" ]
	tool cri StopContainer "{\"containerId\": \"$CTR\"}"
	tool cri RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	server_stop
	wait_for 5 nothing_left
}

# What a reboot takes of $POD, in which nothing runs: all processes, all mounts, the runroot.
reboot() {
	local pid

	read -r pid _ <"$OCID_RUNROOT/pods/$POD/pause"
	kill -KILL "$pid"
	awk -v dir="$BATS_FILE_TMPDIR/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r umount -l
	rm -rf "$OCID_RUNROOT"
}

@test "killed: after a reboot pods are not ready, containers have ended, and their logs are there" {
	pod one
	container one 'echo hello; sleep 60'
	start
	log=$(field ContainerStatus "{\"containerId\": \"$CTR\"}" .status.logPath)
	wait_for 5 test -s "$log"
	started=$(field ContainerStatus "{\"containerId\": \"$CTR\"}" .status.startedAt)
	ocid-shim kill "$CTR" KILL
	ocid-shim wait "$CTR" # not asked for by a client, who would have it kept
	ocid-shim rm --force "$CTR"
	reboot
	call PodSandboxStatus "{\"podSandboxId\": \"$POD\"}"
	[ "$(jq -r .status.state <<<"$output")" = SANDBOX_NOTREADY ]
	finished=$(jq -r '.containersStatuses[].finishedAt' <<<"$output")
	call ContainerStatus "{\"containerId\": \"$CTR\"}"
	[ "$(jq -c '.status | [.state, .exitCode, .reason]' <<<"$output")" = '["CONTAINER_EXITED",255,"Unknown"]' ]
	[ "$(jq -r .status.startedAt <<<"$output")" = "$started" ]
	[ "$finished" -gt "$started" ]
	[ "$(jq -r .status.finishedAt <<<"$output")" = "$finished" ]
	grep -q hello "$(jq -r .status.logPath <<<"$output")"
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	call ListContainers
	[ "$output" = '{}' ]
	wait_for 5 nothing_left
}

@test "killed: how a container has ended is known after a reboot, too, once a client has seen it" {
	pod one
	container one 'exit 3'
	start
	wait_for 5 has_ended "$CTR"
	call ContainerStatus "{\"containerId\": \"$CTR\"}"
	before=$(jq -c '.status | del(.logPath)' <<<"$output")
	[ "$(jq -c '[.exitCode, .reason, has("startedAt"), has("finishedAt")]' <<<"$before")" = '[3,"Error",true,true]' ]
	ocid-shim rm "$CTR"
	reboot
	call ContainerStatus "{\"containerId\": \"$CTR\"}"
	[ "$(jq -c '.status | del(.logPath)' <<<"$output")" = "$before" ]
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
	[ -z "$(ls -A "$OCID_ROOT/pods/$POD/containers")" ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 5 nothing_left
}

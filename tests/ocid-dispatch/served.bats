# SPDX-License-Identifier: Apache-2.0
# Pods and containers over the socket, by a client of gRPC.

load ../helpers
load helpers
load pods

setup_file() {
	file_setup
	cri_pods_setup
	server_start --config "$CONFIG"
}

teardown_file() {
	server_stop
	pods_teardown
	rmdir "$(dirname "$SOCKET")"
	file_teardown
}

@test "served: every call about pods, on two of them at once" {
	TOOL_TIMEOUT=120 tool cri pods "$IMAGE" "$BATS_FILE_TMPDIR/logs" "$CGROUP"
	[ "$output" = "ListPodSandbox 2
ListContainers 2
ListContainerStats 2
ListPodSandboxStats 2
ListPodSandboxMetrics 2
StreamPodSandboxes 2
StreamContainers 2
StreamContainerStats 2
StreamPodSandboxStats 2
StreamPodSandboxMetrics 2
StreamImages 1
INVALID_ARGUMENT
[0, 1, 2, 3] [0, 1, 2, 3]
[0, 1, 2, 3] [0, 1, 2, 3]
CANCELLED" ]
	wait_for 10 no_handlers
}

@test "served: a pod whose client has gone is undone" {
	tool cri hasty "$BATS_FILE_TMPDIR/logs"
	[ "$output" = True ]
	wait_for 10 no_handlers
	# those that were made in time are whole
	call ListPodSandbox
	[ "$(jq -c '[.items[]? | .state // "SANDBOX_READY"] | unique | inside(["SANDBOX_READY"])' <<<"$output")" = true ]
	remove_pods
	[ -z "$(find "$OCID_ROOT"/{pods,podnames} "$OCID_RUNROOT"/{pods,netns} -mindepth 1)" ]
	[ -z "$(mounts_left)" ]
}

@test "served: of calls at once on the same object one wins, the others are told so" {
	tool cri race "$IMAGE" "$BATS_FILE_TMPDIR/logs" "$CGROUP"
	once="{'CreateContainer': ['ALREADY_EXISTS', 'ALREADY_EXISTS', 'OK']}
{'StartContainer': ['FAILED_PRECONDITION', 'FAILED_PRECONDITION', 'OK']}
{'StopContainer': ['OK', 'OK', 'OK'], 'RemoveContainer': ['OK', 'OK', 'OK']} True"
	[ "$output" = "$once
$once
$once
['OK', 'OK', 'OK'] ['OK', 'OK', 'OK'] True True" ]
	wait_for 10 no_handlers
	[ -z "$(find "$OCID_ROOT"/{pods,podnames,containers} "$OCID_RUNROOT"/{pods,netns,containers} -mindepth 1)" ]
	[ -z "$(mounts_left)" ]
}

# SPDX-License-Identifier: Apache-2.0

load ../helpers

@test "rpcs: all of both services, and which of them are answered" {
	tool ocid-dispatch rpcs
	[ "$(wc -l <<<"$output")" -eq "$(grep -c '^	rpc ' "$TESTS/../ocid-dispatch/cri.proto")" ]
	[ "$(jq -r 'select(.answered | not) | .method' <<<"$output" | grep -x 'CheckpointPod\|RestorePod\|Version\|RunPodSandbox' | paste -sd ' ')" = \
		"CheckpointPod RestorePod" ]
	[ "$(jq -c 'select(.method == "PullImage")' <<<"$output")" = \
		'{"answered":true,"method":"PullImage","request":"PullImageRequest","response":"PullImageResponse","service":"ImageService"}' ]
}

@test "rpcs: as a table" {
	tool ocid-dispatch rpcs --table
	[[ $(head -n 1 <<<"$output") =~ ^SERVICE\ +METHOD ]]
}

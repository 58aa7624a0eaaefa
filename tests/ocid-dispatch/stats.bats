# SPDX-License-Identifier: Apache-2.0
# What pods and containers use, and what a kubelet asks of the runtime as a whole.

load ../helpers
load pods

setup_file() {
	file_setup
	pods_setup
	pod one '.config.labels = {app: "one"}'
	container busy 'while :; do :; done' '.config += {labels: {a: "b"}, linux: {resources: {cpuQuota: "10000", cpuPeriod: "100000", memoryLimitInBytes: "50000000"}}}'
	start
	export POD CTR
	container idle 'sleep 60' || return
}

teardown_file() {
	pods_teardown
	file_teardown
}

uses_cpu() {
	[ "$(field ContainerStats "{\"containerId\": \"$CTR\"}" .stats.cpu.usageCoreNanoSeconds.value)" -gt 10000000 ]
}

@test "stats: of a container" {
	CTR=$(field ListContainers '{}' '.containers[] | select(.metadata.name == "busy").id')
	wait_for 10 uses_cpu
	call ContainerStats "{\"containerId\": \"$CTR\"}"
	jq -e --arg id "$CTR" '.stats | .attributes.id == $id and .attributes.labels.a == "b" and
		(.cpu.timestamp | tonumber) > 0 and (.memory.timestamp | tonumber) > 0 and
		(.memory.workingSetBytes.value | tonumber) > 0 and
		(.memory.availableBytes.value | tonumber) < 50000000 and
		(.writableLayer.usedBytes.value | tonumber) > 0 and (.writableLayer.timestamp | tonumber) > 0 and
		(.writableLayer.fsId.mountpoint | startswith("/"))' <<<"$output"
	call 3 ContainerStats '{"containerId": "0123456789"}'
}

@test "stats: the second answer has the rate of CPU use, of containers and of pods" {
	CTR=$(field ListContainers '{}' '.containers[] | select(.metadata.name == "busy").id')
	wait_for 10 uses_cpu
	rm "$OCID_RUNROOT/cpu.json"
	call ListPodSandboxStats
	jq -e '.stats[].linux | [.cpu, .containers[].cpu] | length == 2 and all(has("usageNanoCores") | not)' <<<"$output"
	sleep 1.1
	# a tenth of a CPU is all it may use
	for _ in 1 2; do
		call ListPodSandboxStats
		jq -e '.stats[].linux | [.cpu, .containers[].cpu] | length == 2 and
			all(.usageNanoCores.value | tonumber | . > 10000000 and . < 300000000)' <<<"$output"
	done
	# what was asked about pods serves here, too
	call ContainerStats "{\"containerId\": \"$CTR\"}"
	jq -e '.stats.cpu.usageNanoCores.value | tonumber | . > 10000000 and . < 300000000' <<<"$output"
	echo garbage >"$OCID_RUNROOT/cpu.json"
	call ContainerStats "{\"containerId\": \"$CTR\"}"
}

@test "stats: the list has what runs, and obeys its filter" {
	CTR=$(field ListContainers '{}' '.containers[] | select(.metadata.name == "busy").id')
	names() {
		field "$1" "{\"filter\": $2}" "[.$3[]?.attributes.metadata.name] | join(\" \")"
	}
	for rpc in "ListContainerStats stats" "StreamContainerStats containerStats"; do
		# shellcheck disable=SC2086 # two words
		set -- $rpc
		[ "$(names "$1" '{}' "$2")" = busy ]
		[ "$(names "$1" '{"labelSelector": {"a": "b"}}' "$2")" = busy ]
		[ "$(names "$1" "{\"id\": \"$CTR\", \"podSandboxId\": \"$POD\"}" "$2")" = busy ]
	done
	call ListContainerStats '{"filter": {"labelSelector": {"a": "x"}}}'
	[ "$output" = '{}' ]
}

@test "stats: of a pod, with its network and its containers" {
	ip=$(field PodSandboxStatus "{\"podSandboxId\": \"$POD\"}" .status.network.ip)
	busybox ping -c 1 -W 2 "$ip"
	call PodSandboxStats "{\"podSandboxId\": \"$POD\"}"
	jq -e '.stats | .attributes.labels.app == "one" and
		(.linux.network.defaultInterface | .name == "eth0" and (.rxBytes.value | tonumber) > 0) and
		(.linux.network.timestamp | tonumber) > 0 and
		(.linux.cpu.usageCoreNanoSeconds.value | tonumber) > 0 and
		(.linux.memory.workingSetBytes.value | tonumber) > 0 and
		(.linux.process.processCount.value | tonumber) > 0 and
		[.linux.containers[].attributes.metadata.name] == ["busy"]' <<<"$output"
	[ "$(field ListPodSandboxStats '{}' '[.stats[].attributes.id] | join(" ")')" = "$POD" ]
	[ "$(field StreamPodSandboxStats '{}' '[.podSandboxStats[].attributes.id] | join(" ")')" = "$POD" ]
	[ "$(field ListPodSandboxStats '{"filter": {"labelSelector": {"app": "two"}}}' .stats)" = null ]
	[ "$(field ListPodSandboxStats "{\"filter\": {\"id\": \"$POD\"}}" '.stats | length')" = 1 ]
}

@test "stats: of the file systems" {
	call ImageFsInfo
	jq -e --arg root "$OCID_ROOT" '.imageFilesystems[0] as $image | .containerFilesystems[0] as $containers |
		$image.fsId.mountpoint == "\($root)/images" and ($image.usedBytes.value | tonumber) > 1000000 and
		($image.inodesUsed.value | tonumber) > 10 and ($image.timestamp | tonumber) > 0 and
		$containers.fsId.mountpoint == "\($root)/containers" and ($containers.usedBytes.value | tonumber) > 0' <<<"$output"
}

@test "stats: metrics are those that are described, with as many labels" {
	call ListMetricDescriptors
	jq -r '.descriptors[] | "\(.name) \(.labelKeys | length)"' <<<"$output" | sort >"$BATS_TEST_TMPDIR/described"
	[ "$(uniq -d "$BATS_TEST_TMPDIR/described")" = "" ]
	jq -e '.descriptors | all(.help != "" and .labelKeys[:6] == ["container", "id", "image", "name", "namespace", "pod"])' <<<"$output"
	call ListPodSandboxMetrics
	metrics=$output
	jq -r '.podMetrics[] | (.metrics, .containerMetrics[].metrics)[] | "\(.name) \(.labelValues | length)"' <<<"$output" |
		sort -u >"$BATS_TEST_TMPDIR/there"
	[ -z "$(comm -13 "$BATS_TEST_TMPDIR/described" "$BATS_TEST_TMPDIR/there")" ]
	# devices may not be counted; pressure is not by all kernels
	comm -23 "$BATS_TEST_TMPDIR/described" "$BATS_TEST_TMPDIR/there" >"$BATS_TEST_TMPDIR/missing"
	run ! grep -v '_fs_\(reads\|writes\)\|_blkio_\|_pressure_' "$BATS_TEST_TMPDIR/missing"
	value() {
		jq -r --arg name "container_$1" '[.podMetrics[] | (.metrics, .containerMetrics[].metrics)[] | select(.name == $name)][0].value.value // 0' <<<"$metrics"
	}
	[ "$(value spec_cpu_quota)" -eq 10000 ]
	[ "$(value spec_memory_limit_bytes)" -eq 50000000 ]
	[ "$(value processes)" -eq 1 ]
	[ "$(value network_receive_bytes_total)" -gt 0 ]
	[ "$(value memory_usage_bytes)" -ge "$(value memory_working_set_bytes)" ]
	[ "$(value start_time_seconds)" -gt 1700000000 ]
	[ "$(field StreamPodSandboxMetrics '{}' '[.podSandboxMetrics[].podSandboxId] | join(" ")')" = "$POD" ]
}

@test "stats: what has no limit takes the metrics from nobody" {
	for none in '{cpuQuota: "-1", cpuPeriod: "100000"}' '{memoryLimitInBytes: "-1"}' '{memorySwapLimitInBytes: "-1"}' '{}'; do
		container free 'sleep 60' ".config.linux.resources = $none"
		start
		call ListPodSandboxMetrics
		jq -e --arg id "$CTR" '[.podMetrics[].containerMetrics[] | select(.containerId == $id).metrics[]] |
			(map(select(.name == "container_spec_cpu_quota")) == []) and
			(map(select(.name == "container_spec_memory_limit_bytes")) | .[0].value.value // "0") == "0"' <<<"$output"
		call RemoveContainer "{\"containerId\": \"$CTR\"}"
	done
}

@test "stats: what a kubelet asks of the runtime, and tells it" {
	[ "$(field RuntimeConfig '{}' .linux.cgroupDriver)" = CGROUPFS ]
	call UpdateRuntimeConfig '{"runtimeConfig": {"networkConfig": {"podCidr": "10.0.0.0/24"}}}'
	call Status '{"verbose": true}'
	[ "$(jq -c '[.runtimeHandlers[] | .name // ""]' <<<"$output")" = '["","runc"]' ]
	[ "$(jq -c '.runtimeHandlers[0].features == .runtimeHandlers[1].features' <<<"$output")" = true ]
	[ "$(jq -c .features <<<"$output")" = '{"mountOptions":true,"supplementalGroupsPolicy":true,"userNamespacesHostNetwork":true}' ]
	[ "$(jq -r '.info.config | fromjson | .stateDir' <<<"$output")" = "$OCID_RUNROOT" ]
	call UpdatePodSandboxResources "{\"podSandboxId\": \"$POD\", \"resources\": {\"cpuShares\": \"99\"}}"
	[ "$(jq -c .cri.pod.linux.resources "$OCID_ROOT/pods/$POD/document.json")" = '{"cpuShares":"99"}' ]
	call 3 UpdatePodSandboxResources '{"podSandboxId": "0123456789"}'
}

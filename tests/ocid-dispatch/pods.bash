# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Real pods: the real tools, CNI plugins and runc, in networks of the file's own.
#
#   pods_setup, pods_teardown   for setup_file and teardown_file
#   call RPC [JSON]             a handler without a server, `tool` for `ocid-dispatch call`
#   pod NAME [JQ]               run a pod: $POD; the filter changes its config
#   container NAME COMMAND [JQ] make a container in $POD that runs a shell command: $CTR
#   field RPC JSON JQ           one value of an answer

export CONFIG IMAGE

pods_setup() {
	local subnet=$((RANDOM % 200 + 20))

	# bridges are the machine's: their names tell the files apart
	export BRIDGE=od$((RANDOM % 9000 + 1000))
	CONFIG=$BATS_FILE_TMPDIR/ocid.json
	mkdir "$BATS_FILE_TMPDIR/net"
	cat >"$CONFIG" <<-END
		{"network": {"confDirs": ["$BATS_FILE_TMPDIR/net"]}, "cgroupDriver": "cgroupfs"}
	END
	cat >"$BATS_FILE_TMPDIR/net/10-pods.conflist" <<-END
		{"cniVersion": "1.0.0", "name": "$BRIDGE", "plugins": [
		  {"type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipam": {
		    "type": "host-local", "dataDir": "$BATS_FILE_TMPDIR/ipam",
		    "ranges": [[{"subnet": "10.$subnet.0.0/16"}]]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
	export CGROUP=/ocid-test-${BATS_RUN_TMPDIR##*-}-$BRIDGE
	busybox_tar "$BATS_FILE_TMPDIR/busybox.tar"
	IMAGE=localhost/busybox:1
	oci_image "$BATS_FILE_TMPDIR/oci" 1 '{"config": {"Cmd": ["sh"]}}' "$BATS_FILE_TMPDIR/busybox.tar"
	skopeo-c copy -q "oci:$BATS_FILE_TMPDIR/oci:1" "store:$IMAGE" | ctr-store unpack >/dev/null
}

pods_teardown() {
	remove_pods
	ip link delete "$BRIDGE" 2>/dev/null || true
	find /sys/fs/cgroup -depth -type d -path "*$CGROUP*" -exec rmdir {} + 2>/dev/null || true
}

remove_pods() {
	local id

	for id in $(ocid-dispatch call ListPodSandbox </dev/null | jq -r '.items[]?.id'); do
		ocid-dispatch call --config "$CONFIG" RemovePodSandbox <<<"{\"podSandboxId\": \"$id\"}"
	done
}

call() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	printf '%s\n' "${2-{\}}" >"$BATS_TEST_TMPDIR/request"
	tool "$expected" ocid-dispatch call --config "$CONFIG" "$1" <"$BATS_TEST_TMPDIR/request"
}

field() {
	call "$1" "$2" >&2
	jq -r "$3" <<<"$output"
}

pod_request() {
	jq -cn --arg name "$1" --arg logs "$BATS_FILE_TMPDIR/logs/$1" --arg cgroup "$CGROUP" '{
		config: {
			metadata: {name: $name, uid: ($name + "-uid"), namespace: "tests"},
			logDirectory: $logs, linux: {cgroupParent: $cgroup}
		}} | '"${2-.}"
}

pod() {
	call RunPodSandbox "$(pod_request "$@")"
	POD=$(jq -r .podSandboxId <<<"$output")
}

container_request() {
	jq -cn --arg pod "$POD" --arg name "$1" --arg command "$2" --arg image "$IMAGE" '{
		podSandboxId: $pod,
		config: {
			metadata: {name: $name}, image: {image: $image}, logPath: ($name + ".log"),
			command: ["sh", "-c", $command]
		},
		sandboxConfig: {metadata: {name: "unused"}}
	} | '"${3-.}"
}

container() {
	call CreateContainer "$(container_request "$@")"
	CTR=$(jq -r .containerId <<<"$output")
}

start() {
	call StartContainer "{\"containerId\": \"$CTR\"}"
}

state() {
	field ContainerStatus "{\"containerId\": \"${1-$CTR}\"}" .status.state
}

has_ended() {
	[ "$(state "$1")" = CONTAINER_EXITED ]
}

# The container's output once it has ended, without times.
result() {
	wait_for 10 has_ended "$CTR"
	cut -d ' ' -f 4- "$(field ContainerStatus "{\"containerId\": \"$CTR\"}" .status.logPath)"
}

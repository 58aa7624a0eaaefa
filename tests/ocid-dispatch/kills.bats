# SPDX-License-Identifier: Apache-2.0
# kill -9 of the server at any moment while its clients are at work (of handlers: killed.bats), and
# clients that go away in the midst of a call.

load ../helpers
load helpers
load pods

setup_file() {
	file_setup
	cri_pods_setup
	registry_start
	export REMOTE=$REGISTRY/remote:1 CONTAINERS_REGISTRIES_CONF=$BATS_FILE_TMPDIR/registries.conf
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$CONTAINERS_REGISTRIES_CONF"
	oci_image "$BATS_FILE_TMPDIR/oci" 2 '{"config": {"Cmd": ["true"]}}' "$BATS_FILE_TMPDIR/busybox.tar"
	skopeo-c copy -q --tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:2" "docker://$REMOTE" >/dev/null
}

teardown_file() {
	pods_teardown
	rm -rf "$(dirname "$SOCKET")"
	file_teardown
}

nothing_left() {
	[ -z "$(find "$OCID_ROOT"/{pods,podnames,containers,networks,tmp} "$OCID_RUNROOT"/{pods,netns,ipcns,utsns,containers,runtime} -mindepth 1 2>/dev/null)" ] &&
		[ -z "$(mounts_left)" ] &&
		[ -z "$(find "$BATS_FILE_TMPDIR/ipam" -name '10.*')" ] &&
		[ -z "$(ip -o link show master "$BRIDGE")" ] &&
		[ -z "$(find /sys/fs/cgroup -path "*$CGROUP/*" -type d)" ] &&
		[ -z "$(find "$OCID_RUNROOT/locks" -name 'pod*' -o -name 'cri-*')" ] &&
		! pgrep -f "ocid-shim-monitor.*$OCID_RUNROOT"
}

# One start more: what the last ones have left half-made goes, and nothing is half-made then.
all_removed() {
	server_stop
	remove_pods
	server_start --config "$CONFIG"
	wait_for 20 nothing_left
	tool ctr-store check
	server_stop
}

@test "kills: the server is killed 12 times under load; what it has promised holds, nothing is left" {
	TOOL_TIMEOUT=150 tool /usr/bin/python3 "$BATS_TEST_DIRNAME/kills.py" "$SOCKET" "$CONFIG" "$IMAGE" \
		"$REMOTE" "$BATS_FILE_TMPDIR/logs" "$CGROUP" "$SERVER_PID"
	[ -z "$output" ]
	all_removed
}

@test "kills: clients that go away in the midst of any call leave what the next call can use" {
	server_start --config "$CONFIG"
	tool cri fickle "$IMAGE" "$REMOTE" "$BATS_FILE_TMPDIR/logs" "$CGROUP"
	[ -z "$output" ]
	wait_for 10 no_handlers
	wait_for 10 nothing_left
	server_stop
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For the tests about the kubelet's messages, after common.bash: before each test $DOCUMENT is a
# container document with a pod, a container and an image, and $BUNDLE its bundle.

setup_file() {
	file_setup
	make_rootfs
}

teardown() {
	find /sys/fs/cgroup -depth -type d -path '*/ocid-test-cri*' -exec rmdir {} + 2>/dev/null || true
}

setup() { cri_setup; }

cri_setup() {
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	DOCUMENT=$BATS_TEST_TMPDIR/document.json
	mkdir -p "$BUNDLE" "$BATS_TEST_TMPDIR/shm"
	chmod 1777 "$BATS_TEST_TMPDIR/shm"
	jq -n --arg bundle "$BUNDLE" --arg path "$ROOTFS" --arg shm "$BATS_TEST_TMPDIR/shm" '{
		image: {name: "x:latest", config: {os: "linux", config: {
			Entrypoint: ["/init"], Cmd: ["a"], Env: ["A=image", "B=image"], User: "user", WorkingDir: "/srv"}}},
		rootfs: {id: "0123456789abcdef0123", path: $path, bundle: $bundle, layers: []},
		cri: {
			pod: {metadata: {name: "p", uid: "u", namespace: "n", attempt: 1}, hostname: "pod-host",
				linux: {cgroupParent: "/ocid-test-cri/pod1"}},
			container: {metadata: {name: "c"}, image: {image: "x:latest"}, linux: {
				resources: {}, securityContext: {namespaceOptions: {pid: "CONTAINER"},
					maskedPaths: ["/proc/kcore"], readonlyPaths: ["/proc/sys"]}}},
			sandbox: {shm: $shm, namespaces: {network: "/proc/self/ns/net", ipc: "/proc/self/ns/ipc"}}}}' >"$DOCUMENT"
}

# edit FILTER: change the document.
edit() {
	jq "$1" "$DOCUMENT" >"$DOCUMENT.new" && mv "$DOCUMENT.new" "$DOCUMENT"
}

# from_cri [STATUS] [FILTER [ARG…]]: generate from the document, changed by the filter. $output is
# the configuration.
from_cri() {
	local expected=0 filter

	if [[ ${1-} =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	filter=${1:-.}
	shift || true
	jq "$filter" "$DOCUMENT" >"$DOCUMENT.now"
	tool "$expected" oci-gen generate --document "$DOCUMENT.now" "$@"
	if [ "$expected" -eq 0 ]; then
		output=$(jq .config <<<"$output")
		fits_schema <<<"$output"
	fi
}

# cri_run [-r RUNTIME] FILTER ARG…: run what the document asks for, with this command. $output is
# what it printed.
cri_run() {
	local runtime=runc filter command

	if [ "$1" = -r ]; then
		runtime=$2
		shift 2
	fi
	filter=$1
	shift
	command=$(/usr/bin/python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")
	jq --argjson command "$command" "$filter | .cri.container.command = \$command" "$DOCUMENT" >"$DOCUMENT.now"
	tool oci-gen generate --document "$DOCUMENT.now"
	run_bundle "$runtime" "ocid-test-cri-$BATS_TEST_NUMBER-$RANDOM" "$BUNDLE"
}

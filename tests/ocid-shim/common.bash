# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Bundles are made by hand here, so that these tests need no other tool of ours.
#
#   bundle NAME COMMAND [JQ-FILTER]   a bundle of busybox whose sh runs COMMAND: $BUNDLE
#   shim [STATUS] ARG…                `tool` for ocid-shim
#   quick ID COMMAND                  run a container to its end
#   runtime NAME <<END                make a runtime out of a shell script: $RUNTIME
#   reader_gone COMMAND               its output is a socket that nobody reads: it ends by itself
#   nothing_left                      no process, cgroup or directory of a container remains

load ../helpers

setup_file() {
	file_setup
	export ROOTFS=$BATS_FILE_TMPDIR/rootfs CGROUP=/ocid-test-${BATS_RUN_TMPDIR##*-}
	mkdir "$ROOTFS"
	busybox_tar "$BATS_FILE_TMPDIR/busybox.tar"
	tar -C "$ROOTFS" -xf "$BATS_FILE_TMPDIR/busybox.tar"
}

teardown_file() {
	# runtimes leave the parent of the containers' cgroups
	find /sys/fs/cgroup -depth -type d -path "*$CGROUP" -exec rmdir {} + 2>/dev/null || true
	file_teardown
}

# Containers that a failed test left must not fail those after it.
teardown() {
	remove_containers
}

remove_containers() {
	local id

	for id in "$OCID_RUNROOT"/containers/*; do
		[ -e "$id" ] && ocid-shim rm --force "$(basename "$id")"
	done
	true
}

shim() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	if [ "$expected" -eq 127 ]; then # which bats takes for a mistake unless told
		run -127 --separate-stderr ocid-shim "$@"
	else
		tool "$expected" ocid-shim "$@"
	fi
}

bundle() {
	BUNDLE=$BATS_TEST_TMPDIR/$1
	mkdir -p "$BUNDLE"
	jq -n --arg command "$2" --arg rootfs "$ROOTFS" --arg cgroup "$CGROUP" '{
		ociVersion: "1.0.2",
		process: {
			terminal: false, user: {uid: 0, gid: 0}, cwd: "/",
			args: ["/bin/sh", "-c", $command], env: ["PATH=/bin"]
		},
		root: {path: $rootfs, readonly: true},
		mounts: [
			{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "tmpfs", source: "tmpfs",
			 options: ["nosuid", "mode=755", "size=65536k"]},
			{destination: "/tmp", type: "tmpfs", source: "tmpfs"}
		],
		linux: {
			cgroupsPath: "\($cgroup)/\(now)",
			namespaces: [{type: "pid"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}]
		}
	} | .linux.cgroupsPath |= sub("\\."; "-") | '"${3-.}" >"$BUNDLE/config.json"
}

quick() {
	bundle "$1" "$2" "${3-.}"
	shim run --bundle "$BUNDLE" "$1"
	shim wait "$1"
}

# The container's exit code, once it has ended.
code() {
	ocid-shim wait "$1" | jq .code
}

runtime() {
	RUNTIME=$BATS_TEST_TMPDIR/runtimes/$1
	mkdir -p "$BATS_TEST_TMPDIR/runtimes"
	{
		printf '#!/bin/bash\nseen=%q\n' "$BATS_TEST_TMPDIR"
		cat
	} >"$RUNTIME"
	chmod +x "$RUNTIME"
}

reader_gone() {
	/usr/bin/python3 - "$@" <<-'END'
		import socket, subprocess, sys
		ours, theirs = socket.socketpair()
		process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=theirs)
		theirs.close()
		ours.close()
		try:
		    process.wait(10)
		except subprocess.TimeoutExpired:
		    process.kill()
		    process.wait()
		    sys.exit("it did not end")
	END
}

monitors() {
	pgrep -af "ocid-shim-monitor .*$OCID_RUNROOT" || true
}

remains() {
	monitors
	find "$OCID_RUNROOT/containers" "$OCID_RUNROOT/runtime" -mindepth 1 2>/dev/null
	find /sys/fs/cgroup -type d -path "*$CGROUP/*" 2>/dev/null
	return 0
}

is_empty() {
	[ -z "$("$@")" ]
}

nothing_left() {
	wait_for 10 is_empty remains || {
		remains
		return 1
	}
}

status_of() {
	ocid-shim state "$1" | jq -r .status
}

is_status() {
	[ "$(status_of "$1")" = "$2" ]
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A store of podman's for one file of tests, and its service, which speaks Docker's API.

export CONTAINERS_STORAGE_CONF=$BATS_FILE_TMPDIR/storage.conf
STORE=$BATS_FILE_TMPDIR/store
PODMAN_SOCKET=$BATS_FILE_TMPDIR/podman.sock

podman_start() {
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$STORE"
		runroot = "$BATS_FILE_TMPDIR/runroot"
	END
	command podman --tmpdir "$BATS_FILE_TMPDIR/libpod" system service -t 0 "unix://$PODMAN_SOCKET" \
		>"$BATS_FILE_TMPDIR/service.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/service.pid"
	wait_for 20 curl -fs --unix-socket "$PODMAN_SOCKET" http://docker/_ping
}

podman_stop() {
	kill "$(cat "$BATS_FILE_TMPDIR/service.pid")" || true
	wait_for 10 process_gone "$(cat "$BATS_FILE_TMPDIR/service.pid")"
	umount "$STORE/overlay" || true
	find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} + 2>/dev/null || true
}

podman() {
	PODMAN_IGNORE_CGROUPSV1_WARNING=1 timeout -k 5 "${TOOL_TIMEOUT:-60}" \
		podman --tmpdir "$BATS_FILE_TMPDIR/libpod" --cgroup-manager cgroupfs --runtime runc "$@"
}

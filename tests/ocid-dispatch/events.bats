# SPDX-License-Identifier: Apache-2.0
# What happens to pods and containers, as it happens.

load ../helpers
load pods

setup_file() {
	file_setup
	pods_setup
}

teardown_file() {
	pods_teardown
	file_teardown
}

teardown() {
	[ -z "${LISTENER-}" ] || kill "$LISTENER" 2>/dev/null || true
	remove_pods
}

listen() {
	echo '{}' >"$BATS_TEST_TMPDIR/empty"
	ocid-dispatch call --config "$CONFIG" GetContainerEvents <"$BATS_TEST_TMPDIR/empty" \
		>"$BATS_TEST_TMPDIR/events" 3>&- &
	LISTENER=$!
	# until its watches are there
	wait_for 10 listens
}

# It watches, and waits: its only system call is that read.
listens() {
	local number fd

	read -r number fd _ <"/proc/$LISTENER/syscall"
	[ "$number" != running ] && [ "$(readlink "/proc/$LISTENER/fd/$((fd))")" = anon_inode:inotify ]
}

told() {
	[ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -ge "$1" ]
}

# name of who it is about, and what
summary() {
	jq -r --arg pod "$POD" '(if .containerId == $pod then "pod" else "container" end) + " " +
		((.containerEventType // "CONTAINER_CREATED_EVENT") | ascii_downcase | split("_")[1])' "$BATS_TEST_TMPDIR/events"
}

@test "events: from a pod that is made to one that is removed" {
	listen
	pod one
	container one 'exit 3'
	start
	wait_for 10 has_ended "$CTR"
	wait_for 10 told 5
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 10 told 8
	[ "$(summary | paste -sd ,)" = "pod created,pod started,container created,container started,container stopped,container deleted,pod stopped,pod deleted" ]
	jq -se '.[4] | .podSandboxStatus.metadata.name == "one" and .containersStatuses[0].exitCode == 3 and
		(.createdAt | tonumber) > 1700000000000000000' "$BATS_TEST_TMPDIR/events"
}

@test "events: what is there already is none, what goes with its pod is" {
	pod one
	container one 'sleep 60'
	start
	listen
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	wait_for 10 told 4
	summary | grep -q 'container stopped'
	[ "$(summary | tail -n 1)" = "pod deleted" ]
	[ "$(summary | sort | paste -sd ,)" = "container deleted,container stopped,pod deleted,pod stopped" ]
}

@test "events: one that cannot be made is none, one that cannot be started has stopped" {
	pod one
	listen
	call 3 CreateContainer "$(container_request bad x '.config.linux.securityContext.namespaceOptions = {pid: "TARGET", targetId: "none"}')"
	container good x '.config.command = ["/no/such"]'
	call 1 StartContainer "{\"containerId\": \"$CTR\"}"
	wait_for 10 told 2
	[ "$(jq -r .containerId "$BATS_TEST_TMPDIR/events" | sort -u)" = "$CTR" ]
	[ "$(summary | paste -sd ,)" = "container created,container stopped" ]
}

@test "events: the listener ends when it is asked to" {
	listen
	kill "$LISTENER"
	status=0
	wait "$LISTENER" || status=$?
	[ "$status" -eq 143 ]
}

@test "events: what the kernel will not have watched is an error, not missed" {
	echo '{}' >"$BATS_TEST_TMPDIR/empty"
	tool 9 unshare --user --map-root-user bash -c \
		'echo 1 >/proc/sys/user/max_inotify_watches && exec ocid-dispatch call GetContainerEvents' <"$BATS_TEST_TMPDIR/empty"
	error_is limit "(raise fs.inotify.max_user_watches)"
	tool 9 unshare --user --map-root-user bash -c \
		'echo 0 >/proc/sys/user/max_inotify_instances && exec ocid-dispatch call GetContainerEvents' <"$BATS_TEST_TMPDIR/empty"
	error_is limit "(raise fs.inotify.max_user_instances)"
}

@test "events: what cannot be read any more has not been removed" {
	listen
	pod one
	container one 'sleep 60'
	start
	wait_for 10 told 4
	cd "$OCID_ROOT/pods/$POD/containers"
	# out of the directory, which the listener does not see
	mv "$CTR.json" "$BATS_TEST_TMPDIR/kept"
	mkdir "$CTR.json"
	wait_for 10 process_gone "$LISTENER" || echo "it listens on"
	rmdir "$CTR.json"
	mv "$BATS_TEST_TMPDIR/kept" "$CTR.json"
	process_gone "$LISTENER"
	status=0
	wait "$LISTENER" || status=$?
	[ "$status" -eq 1 ]
	[ "$(summary | paste -sd ,)" = "pod created,pod started,container created,container started" ]
}

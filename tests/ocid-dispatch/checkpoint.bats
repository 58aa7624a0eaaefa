# SPDX-License-Identifier: Apache-2.0
# CheckpointContainer: by CRIU where that works (the virtual machine), else by what pretends to be it.
# shellcheck disable=SC2016 # commands are for the containers' shells, filters for jq

load ../helpers
load ../criu
load helpers
load pods

setup_file() {
	file_setup
	cri_pods_setup
	criu_works && export CRIU=1
	PLAIN_PATH=$PATH
	criu_pretend "$BATS_FILE_TMPDIR"
	# one handler can be told to fail or to be slow; the other is the real thing where there is one
	[ -z "${CRIU-}" ] || PATH=$PLAIN_PATH
	jq --arg default "$([ -n "${CRIU-}" ] && type -P runc || echo "$RUNTIME")" --arg pretends "$RUNTIME" \
		'. + {runtimes: {default: {path: $default}, pretends: {path: $pretends}}, defaultRuntime: "default"}' \
		"$CONFIG" >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
	export ARCHIVES=$BATS_FILE_TMPDIR/archives
	mkdir "$ARCHIVES"
	pod one '.config.metadata.uid = "one-uid"'
	export POD
}

teardown_file() {
	pods_teardown
	rm -rf "$(dirname "$SOCKET")"
	file_teardown
}

teardown() {
	local id

	rm -f "$BATS_FILE_TMPDIR/fail" "$BATS_FILE_TMPDIR/slow" "$BATS_FILE_TMPDIR/began"
	for id in $(ocid-dispatch call ListContainers </dev/null | jq -r '.containers[]?.id'); do
		ocid-dispatch call RemoveContainer <<<"{\"containerId\": \"$id\"}"
	done
}

checkpoint_request() {
	jq -cn --arg id "$CTR" --arg location "$1" "{containerId: \$id, location: \$location} | ${2-.}"
}

# A pod whose runtime does what the test wants, and a container in it.
pretending() {
	PATH=$BATS_FILE_TMPDIR/bin:$PATH
	call RunPodSandbox "$(pod_request "$1" | jq -c '. + {runtimeHandler: "pretends"}')"
	POD=$(jq -r .podSandboxId <<<"$output")
	container c 'exec sleep 100'
	start
}

shim_status() {
	ocid-shim state "$CTR" | jq -r .status
}

is_running() {
	[ "$(shim_status)" = running ]
}

# The container goes on, and of the checkpoint nothing is left.
nothing_happened() {
	is_running
	[ ! -e "$1" ]
	nothing_unfinished
	[ -z "$(find "$ARCHIVES" -name '.*' -type f)" ]
}

nothing_unfinished() {
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
}

entry() {
	tar -xOf "$ARCHIVES/a.tar" "$1"
}

@test "CheckpointContainer: an archive of processes, files and documents; the container goes on" {
	container c 'echo hello; echo new >/made; rm /bin/wget; i=0; while :; do i=$((i + 1)); echo $i >>/count; sleep 0.1; done' \
		'.config += {labels: {a: "b"}, annotations: {c: "d"}} | .config.metadata.attempt = 3'
	start
	wait_for 20 test -s "$BATS_FILE_TMPDIR/logs/one/c.log"
	wait_for 20 ocid-shim exec "$CTR" test -s /count
	# what is there already is replaced, and a symbolic link is not followed
	echo precious >"$BATS_TEST_TMPDIR/precious"
	ln -s "$BATS_TEST_TMPDIR/precious" "$ARCHIVES/a.tar"
	call CheckpointContainer "$(checkpoint_request "$ARCHIVES/a.tar" '.timeout = 300')"
	[ "$output" = '{}' ]
	[ "$(cat "$BATS_TEST_TMPDIR/precious")" = precious ]
	[ "$(stat -c '%F %a %u' "$ARCHIVES/a.tar")" = 'regular file 600 0' ]
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
	[ "$(ls -A "$ARCHIVES")" = a.tar ]
	is_running
	[ "$(state)" = CONTAINER_RUNNING ]

	tar -tvf "$ARCHIVES/a.tar" >"$BATS_TEST_TMPDIR/list"
	[ "$(awk '{ print $6 }' "$BATS_TEST_TMPDIR/list" | grep -v '^checkpoint/.')" = \
		"$(printf '%s\n' config.dump spec.dump status.dump status dump.log stats-dump container.log checkpoint/ rootfs-diff.tar)" ]
	grep -q '^-rw------- .* checkpoint/core-[0-9]*.img$' "$BATS_TEST_TMPDIR/list"
	grep -q '^drwx------ .* checkpoint/$' "$BATS_TEST_TMPDIR/list"
	grep -q 'stdout F hello$' <(entry container.log)
	# files as a layer, and as the saved processes know them
	entry rootfs-diff.tar >"$BATS_TEST_TMPDIR/diff.tar"
	tar -tf "$BATS_TEST_TMPDIR/diff.tar" >"$BATS_TEST_TMPDIR/diff"
	grep -qx bin/.wh.wget "$BATS_TEST_TMPDIR/diff"
	[ "$(tar -xOf "$BATS_TEST_TMPDIR/diff.tar" made)" = new ]
	grep -qx count "$BATS_TEST_TMPDIR/diff"
}

@test "CheckpointContainer: the documents are those that containerd writes" {
	container c 'sleep 100' '.config += {labels: {a: "b"}, annotations: {c: "d"}} | .config.metadata.attempt = 3'
	start
	call CheckpointContainer "$(checkpoint_request "$ARCHIVES/a.tar")"
	entry config.dump | jq -e --arg id "$CTR" --arg image "$IMAGE" '
		.id == $id and .name == "c_one_tests_one-uid_3" and .rootfsImageName == $image and
		.rootfsImage == $image and (.rootfsImageRef | contains("sha256:")) and .runtime == "default" and
		(.createdTime | test("^20[0-9T:-]*[.][0-9]{9}Z$")) and
		(.checkpointedTime | test("^20[0-9T:-]*[.][0-9]{9}Z$")) and .createdTime < .checkpointedTime and
		.restored == false and .restoredTime == "0001-01-01T00:00:00Z"'
	entry spec.dump | jq -e --arg pod "$POD" '
		.process.args == ["sh", "-c", "sleep 100"] and (.mounts | length) > 3 and
		(.annotations | .["io.kubernetes.cri.container-name"] == "c" and
			.["io.kubernetes.cri.container-type"] == "container" and
			.["io.kubernetes.cri.sandbox-name"] == "one" and
			.["io.kubernetes.cri.sandbox-namespace"] == "tests" and
			.["io.kubernetes.cri.sandbox-uid"] == "one-uid" and
			.["io.kubernetes.cri.sandbox-id"] == $pod and .c == "d")'
	entry status.dump | jq -e --arg id "$CTR" --arg image "$IMAGE" --arg log "$BATS_FILE_TMPDIR/logs/one/c.log" '
		.id == $id and .state == 1 and .metadata == {name: "c", attempt: 3} and .image.image == $image and
		.labels == {a: "b"} and .annotations == {c: "d"} and .log_path == $log and
		(.created_at | type) == "number" and .started_at >= .created_at'
	entry status | jq -e '.Version == "v1" and .StartedAt >= .CreatedAt and .Pid > 1 and .FinishedAt == 0'
	rm "$ARCHIVES/a.tar"
}

@test "CheckpointContainer: what cannot be is said before anything is done" {
	container c 'exec sleep 100'
	call 2 CheckpointContainer "$(checkpoint_request '')"
	error_is usage 'no absolute path: ""'
	call 2 CheckpointContainer "$(checkpoint_request a.tar)"
	error_is usage 'no absolute path: "a.tar"'
	call 2 CheckpointContainer "$(checkpoint_request "$ARCHIVES/b.tar" '.timeout = -1')"
	error_is usage timeout
	call 3 CheckpointContainer '{"containerId": "none", "location": "/tmp/b.tar"}'
	error_is not-found 'no container "none"'
	call 5 CheckpointContainer "$(checkpoint_request "$ARCHIVES/b.tar")"
	error_is in-use 'does not run'
	start
	call 3 CheckpointContainer "$(checkpoint_request "$ARCHIVES/none/b.tar")"
	error_is not-found "$ARCHIVES/none/b.tar"
	call 2 CheckpointContainer "$(checkpoint_request "$ARCHIVES")"
	error_is usage 'no regular file'
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho Not here >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/criu"
	chmod +x "$BATS_TEST_TMPDIR/bin/criu"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH call 10 CheckpointContainer "$(checkpoint_request "$ARCHIVES/b.tar")"
	error_is unsupported 'CRIU cannot work here: Not here'
	nothing_happened "$ARCHIVES/b.tar"
	call StopContainer "{\"containerId\": \"$CTR\", \"timeout\": 0}"
	call 5 CheckpointContainer "$(checkpoint_request "$ARCHIVES/b.tar")"
	error_is in-use 'does not run'
}

@test "CheckpointContainer: a checkpoint that fails, takes too long or is killed leaves the container as it was" {
	pretending two
	touch "$BATS_FILE_TMPDIR/fail"
	call 1 CheckpointContainer "$(checkpoint_request "$ARCHIVES/c.tar")"
	error_is failed 'Error (criu/tty.c:1): tty: Found slave peer index 1: runtime: criu failed: type NOTIFY'
	[[ $stderr != *dump.log* ]]
	nothing_happened "$ARCHIVES/c.tar"
	rm "$BATS_FILE_TMPDIR/fail"

	touch "$BATS_FILE_TMPDIR/slow"
	call 124 CheckpointContainer "$(checkpoint_request "$ARCHIVES/c.tar" '.timeout = 1')"
	[[ $stderr == *'not made within 1 seconds'* ]]
	nothing_happened "$ARCHIVES/c.tar"

	rm -f "$BATS_FILE_TMPDIR/began"
	checkpoint_request "$ARCHIVES/c.tar" >"$BATS_TEST_TMPDIR/request"
	ocid-dispatch call --config "$CONFIG" CheckpointContainer <"$BATS_TEST_TMPDIR/request" 3>&- &
	local pid=$!
	wait_for 20 test -s "$BATS_FILE_TMPDIR/began"
	[ "$(shim_status)" = paused ]
	kill -KILL "$pid"
	wait_for 20 is_running
	wait_for 20 process_gone "$(cat "$BATS_FILE_TMPDIR/began")"
	wait "$pid" || true
	server_start --config "$CONFIG"
	wait_for 20 nothing_unfinished
	server_stop
	nothing_happened "$ARCHIVES/c.tar"

	rm "$BATS_FILE_TMPDIR/slow"
	# two at once: one after the other
	checkpoint_request "$ARCHIVES/e.tar" >"$BATS_TEST_TMPDIR/beside"
	ocid-dispatch call --config "$CONFIG" CheckpointContainer <"$BATS_TEST_TMPDIR/beside" 3>&- &
	pid=$!
	call CheckpointContainer "$(checkpoint_request "$ARCHIVES/c.tar")"
	wait "$pid"
	[ -s "$ARCHIVES/e.tar" ]
	nothing_happened "$ARCHIVES/none"
	checkpoint_request "$ARCHIVES/d.tar" >"$BATS_TEST_TMPDIR/request"
	tool ocid-dispatch call --config "$CONFIG" --trace CheckpointContainer <"$BATS_TEST_TMPDIR/request"
	[[ $stderr == *"ocid-shim checkpoint --leave-running $CTR $OCID_ROOT/tmp/"*"ctr-store diff $CTR >$OCID_ROOT/tmp/"* ]]
}

# An image whose layer is the archive, and whose manifest says that it is a checkpoint.
checkpoint_image() {
	local layout=$BATS_TEST_TMPDIR/oci digest file

	oci_image "$layout" 1 '{}' "$ARCHIVES/$1"
	file=$layout/blobs/sha256/$(jq -r '.manifests[0].digest | sub("sha256:"; "")' "$layout/index.json")
	jq -c '.annotations = {"org.criu.checkpoint.container.name": "c"}' "$file" >"$layout/manifest"
	digest=$(sha256sum <"$layout/manifest" | cut -d ' ' -f 1)
	jq -c --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$layout/manifest")" \
		'.manifests[0] |= . + {digest: $digest, size: $size}' "$layout/index.json" >"$layout/index"
	mv "$layout/manifest" "$layout/blobs/sha256/$digest"
	mv "$layout/index" "$layout/index.json"
	skopeo-c copy -q "oci:$layout:1" "store:$2" | ctr-store unpack >/dev/null
}

# In a namespace of its own, as kubelets want it.
OWN_PIDS='.config.linux.securityContext.namespaceOptions.pid = "CONTAINER"'

# r.tar, of a container that counts.
archive() {
	[ ! -e "$ARCHIVES/r.tar" ] || return 0
	container r 'echo new >/made; rm -f /bin/wget; i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done' "$OWN_PIDS"
	start
	wait_for 20 grep -q 'F 3$' "$BATS_FILE_TMPDIR/logs/one/r.log"
	call CheckpointContainer "$(checkpoint_request "$ARCHIVES/r.tar")"
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
}

# Ask for a container of the checkpoint in archive or image $2.
restore_request() {
	container_request "$1" 'echo another; exec sleep 100' \
		'.config.image.image = "'"$2"'" | .config.annotations.x = "y" | '"$OWN_PIDS"
}

restored() {
	call CreateContainer "$(restore_request "$1" "$2")"
	CTR=$(jq -r .containerId <<<"$output")
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"cpuShares\": \"512\"}}"
	start
	[ "$(state)" = CONTAINER_RUNNING ]
	# what it was made of is needed no more
	[ "$(ctr-store images | jq -r .id | sort)" = "$BEFORE" ]
	run ! grep -q "$OCID_RUNROOT/pods/.*/images/" /proc/self/mountinfo
	grep -q "$CTR" "/proc/$(ocid-shim state "$CTR" | jq .pid)/cgroup"
	[ "$(field ContainerStatus "{\"containerId\": \"$CTR\"}" '.status | .image.image, .annotations.restored, .annotations.x,
		.annotations.checkpointImage, (.annotations.checkpointedAt | test("^20.*Z$"))')" = \
		"$(printf '%s\n' "$IMAGE" true y "$2" true)" ]
	[ "$(ocid-shim exec "$CTR" cat /made)" = new ]
	tool 1 ocid-shim exec "$CTR" test -e /bin/wget
	wait_for 20 test -s "$BATS_FILE_TMPDIR/logs/three/$1.log"
	if [ -n "${CRIU-}" ]; then # they go on, and do not begin again
		run ! grep -q 'F 1$' "$BATS_FILE_TMPDIR/logs/three/$1.log"
	fi
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
}

# Of what was made to restore it nothing is left: $BEFORE are those that were there before.
nothing_left() {
	[ "$(ctr-store images | jq -r .id | sort)" = "$BEFORE" ]
	run ! grep -q "$OCID_RUNROOT/pods/.*/images/" /proc/self/mountinfo
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
	[ -z "$(ls -A "$OCID_ROOT/containers")" ]
}

# The archive r.tar with something done in its directory by a command, as $BAD.
changed_archive() {
	local directory=$BATS_TEST_TMPDIR/changed

	rm -rf "$directory"
	mkdir "$directory"
	tar -C "$directory" -xf "$ARCHIVES/r.tar"
	(cd "$directory" && eval "$1")
	BAD=$BATS_TEST_TMPDIR/bad.tar
	tar -C "$directory" -cf "$BAD" .
}

@test "CreateContainer: of a checkpoint, as an archive or an image, where that is allowed" {
	archive
	checkpoint_image r.tar localhost/checkpoint:1
	pod three
	for checkpoint in "$ARCHIVES/r.tar" localhost/checkpoint:1; do
		call 6 CreateContainer "$(restore_request d "$checkpoint")"
		error_is denied "$checkpoint is a checkpoint, and restoring is not allowed here"
		# which is also seen where the image has no command
		call 6 CreateContainer "$(restore_request d "$checkpoint" | jq -c 'del(.config.command)')"
		error_is denied "$checkpoint is a checkpoint, and restoring is not allowed here"
	done

	BEFORE=$(ctr-store images | jq -r .id | sort)
	jq '.restoreCheckpoints = true' "$CONFIG" >"$BATS_TEST_TMPDIR/allows.json"
	CONFIG=$BATS_TEST_TMPDIR/allows.json
	restored d "$ARCHIVES/r.tar"
	restored e localhost/checkpoint:1
	call CreateContainer "$(restore_request g localhost/checkpoint:1 | jq -c 'del(.config.command)')"
	call RemoveContainer "$(jq -c . <<<"$output")"
	nothing_left
	# as CRI-O writes it: without whiteouts, which its reader does not know
	changed_archive 'mkdir d && tar -C d -xf rootfs-diff.tar && rm d/bin/.wh.wget && tar -C d -cf rootfs-diff.tar . && rm -r d &&
		echo '\''["/bin/wget"]'\'' >deleted.files'
	restored f "$BAD"
	nothing_left
	ctr-store check --deep >/dev/null
}

@test "CreateContainer: a checkpoint that is not what it should be is refused, and leaves nothing" {
	archive
	jq '.restoreCheckpoints = true' "$CONFIG" >"$BATS_TEST_TMPDIR/allows.json"
	CONFIG=$BATS_TEST_TMPDIR/allows.json
	BEFORE=$(ctr-store images | jq -r .id | sort)
	pod four
	refused() {
		changed_archive "$1"
		call "$2" CreateContainer "$(restore_request r "$BAD")"
		error_is "$3" "$4"
		nothing_left
	}
	refused 'rm config.dump' 3 not-found config.dump
	refused 'echo "{" >spec.dump' 7 integrity spec.dump
	refused 'rm rootfs-diff.tar; ln -s /etc/passwd rootfs-diff.tar' 7 integrity 'leads outside'
	refused 'rm rootfs-diff.tar; mkfifo rootfs-diff.tar' 7 integrity 'rootfs-diff.tar is no regular file'
	refused 'echo garbage >rootfs-diff.tar' 7 integrity rootfs-diff.tar
	refused 'echo '\''["/bin/../x"]'\'' >deleted.files' 7 integrity 'no path'
	refused 'jq ".rootfsImageRef = \"$(printf %064d 0)\" | .rootfsImageName = \"localhost/none:1\" | .rootfsImage = \"\"" config.dump >c && mv c config.dump' \
		3 not-found 'no image "localhost/none:1", of which the checkpoint is'
	refused 'jq ".mounts += [{destination: \"/data\", type: \"bind\", source: \"/etc\"}]" spec.dump >s && mv s spec.dump' \
		2 usage 'the checkpoint has a mount at /data'
	call 3 CreateContainer "$(restore_request r "$BATS_TEST_TMPDIR/none.tar")"
	call 2 CreateContainer "$(restore_request r "$BATS_TEST_TMPDIR")"
	error_is usage 'no regular file'
	echo garbage >"$BATS_TEST_TMPDIR/garbage"
	call 7 CreateContainer "$(restore_request r "$BATS_TEST_TMPDIR/garbage")"
	nothing_left
}

# SPDX-License-Identifier: Apache-2.0
# Containers in pods, by a real runtime.
# shellcheck disable=SC2016 # commands are for the containers' shells, filters for jq

load ../helpers
load pods

setup_file() {
	file_setup
	pods_setup
	pod one '.config += {hostname: "box", dnsConfig: {servers: ["10.9.8.7"], searches: ["a.b"]}}'
	export POD
}

teardown_file() {
	pods_teardown
	file_teardown
}

teardown() {
	local id

	for id in $(ocid-dispatch call ListContainers </dev/null | jq -r '.containers[]?.id'); do
		ocid-dispatch call RemoveContainer <<<"{\"containerId\": \"$id\"}"
	done
}

that() {
	echo "{\"containerId\": \"${1-$CTR}\"}"
}

@test "containers: created, started, stopped and removed" {
	container one 'trap "exit 7" TERM; while :; do sleep 0.05; done' '.config += {labels: {a: "b"}, annotations: {c: "d"}}'
	[[ $CTR =~ ^[0-9a-f]{64}$ ]]
	call ContainerStatus "$(that)"
	[ "$(jq -c '.status | [.state, .startedAt, .finishedAt, .labels, .annotations, .metadata]' <<<"$output")" = \
		'[null,null,null,{"a":"b"},{"c":"d"},{"name":"one"}]' ]
	id=$(field ImageStatus "{\"image\": {\"image\": \"$IMAGE\"}}" .image.id)
	[ "$(jq -r .status.imageId <<<"$(call ContainerStatus "$(that)" >/dev/null && echo "$output")")" = "$id" ]
	start
	call ContainerStatus "$(that "${CTR:0:10}")"
	[ "$(jq -r '.status | .state, (.startedAt | tonumber > 1700000000000000000), .image.image' <<<"$output")" = \
		"$(printf 'CONTAINER_RUNNING\ntrue\n%s' "$IMAGE")" ]
	call 5 StartContainer "$(that)"
	sleep 0.2 # for the trap
	call StopContainer "{\"containerId\": \"$CTR\", \"timeout\": 10}"
	call ContainerStatus "$(that)"
	[ "$(jq -c '.status | [.state, .exitCode, .reason]' <<<"$output")" = '["CONTAINER_EXITED",7,"Error"]' ]
	call StopContainer "$(that)"
	call RemoveContainer "$(that)"
	call RemoveContainer "$(that)"
	call StopContainer "$(that)"
	call 3 ContainerStatus "$(that)"
	error_is not-found "no container \"$CTR\""
	call 3 StartContainer "$(that)"
	[ ! -e "$OCID_ROOT/containers/$CTR" ]
	[ -z "$(find "$OCID_ROOT/pods/$POD/containers" "$OCID_RUNROOT/containers" -mindepth 1)" ]
}

@test "containers: one of which something cannot be removed has ended as it has" {
	container kept 'exit 3'
	start
	wait_for 10 test -s "$OCID_RUNROOT/containers/$CTR/exit"
	mount --bind "$OCID_ROOT/containers/$CTR" "$OCID_ROOT/containers/$CTR"
	run ! ocid-dispatch call RemoveContainer <<<"$(that)"
	umount "$OCID_ROOT/containers/$CTR"
	[ ! -e "$OCID_RUNROOT/containers/$CTR" ]
	[ "$(field ContainerStatus "$(that)" '.status | [.state, .exitCode, .reason] | tostring')" = \
		'["CONTAINER_EXITED",3,"Error"]' ]
	call RemoveContainer "$(that)"
}

@test "containers: pods and containers are stopped and removed where the disk is full" {
	old=$POD
	pod full
	container one 'sleep 60'
	container two 'sleep 60'
	start
	cp -a "$OCID_ROOT/pods/$POD" "$BATS_TEST_TMPDIR/records"
	mount -t tmpfs -o size=64k tmpfs "$OCID_ROOT/pods/$POD"
	cp -a "$BATS_TEST_TMPDIR/records/." "$OCID_ROOT/pods/$POD"
	# which would leave room
	rm "$OCID_ROOT/pods/$POD"/containers/*.pb
	run ! cp /dev/zero "$OCID_ROOT/pods/$POD/filler"
	call RemoveContainer "$(that)"
	run ! cp /dev/zero "$OCID_ROOT/pods/$POD/filler2"
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	[ "$(field ListContainers "{\"filter\": {\"podSandboxId\": \"$POD\"}}" '[.containers[] | [.metadata.name, .state]] | tostring')" = \
		'[["one","CONTAINER_EXITED"]]' ]
	cp -a "$OCID_ROOT/pods/$POD/containers" "$BATS_TEST_TMPDIR/left"
	umount "$OCID_ROOT/pods/$POD"
	rm -r "$OCID_ROOT/pods/$POD/containers"
	mv "$BATS_TEST_TMPDIR/left" "$OCID_ROOT/pods/$POD/containers"
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	POD=$old
}

@test "containers: pods and containers are stopped where nothing can be written" {
	old=$POD
	pod unwritable
	container waits 'sleep 60'
	container runs 'sleep 60'
	start
	mount --bind "$OCID_ROOT/pods/$POD" "$OCID_ROOT/pods/$POD"
	mount -o remount,bind,ro "$OCID_ROOT/pods/$POD"
	call 6 CreateContainer "$(container_request more true)"
	error_is denied "$OCID_ROOT/pods/$POD/containers: cannot "
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	umount "$OCID_ROOT/pods/$POD"
	[ "$(field ListContainers "{\"filter\": {\"podSandboxId\": \"$POD\"}}" '[.containers[].state] | tostring')" = \
		'["CONTAINER_EXITED","CONTAINER_EXITED"]' ]
	[ "$(field PodSandboxStatus "{\"podSandboxId\": \"$POD\"}" .status.state)" = SANDBOX_NOTREADY ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	POD=$old
}

@test "containers: one that runs is removed by force" {
	container one 'sleep 60'
	start
	call RemoveContainer "$(that)"
	call ListContainers
	[ "$output" = '{}' ]
}

@test "containers: they live in their pod" {
	container one 'hostname; cat /etc/resolv.conf; ip -o -4 addr show eth0 | grep -o "inet [0-9.]*"
		for ns in net ipc uts pid; do readlink /proc/self/ns/$ns; done; mount | grep -c "/dev/shm.*64\|65536k"' \
		'.config.labels = {x: "y"}'
	start
	result >"$BATS_TEST_TMPDIR/out"
	ip=$(field PodSandboxStatus "{\"podSandboxId\": \"$POD\"}" .status.network.ip)
	[ "$(head -n 4 "$BATS_TEST_TMPDIR/out")" = "$(printf 'box\nsearch a.b\nnameserver 10.9.8.7\ninet %s' "$ip")" ]
	[ "$(field ContainerStatus "$(that)" '.status | [.exitCode, .reason] | tostring')" = '[null,"Completed"]' ]
	one=$(grep ':\[' "$BATS_TEST_TMPDIR/out")
	container two 'for ns in net ipc uts pid; do readlink /proc/self/ns/$ns; done'
	start
	[ "$(result)" = "$one" ]
	container three 'readlink /proc/self/ns/pid' '.config.linux.securityContext.namespaceOptions = {pid: "NODE"}'
	start
	[ "$(result)" = "$(readlink /proc/self/ns/pid)" ]
}

@test "containers: what their pod shares with the node, they share without being told" {
	old=$POD
	pod node '.config.linux.securityContext.namespaceOptions = {network: "NODE", pid: "NODE", ipc: "NODE"}'
	container told 'for ns in net pid ipc; do readlink /proc/self/ns/$ns; done'
	start
	[ "$(result)" = "$(readlink /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/ipc)" ]
	container other 'readlink /proc/self/ns/net' '.config.linux.securityContext.namespaceOptions = {network: "POD", pid: "CONTAINER"}'
	start
	[ "$(result)" = "$(readlink /proc/self/ns/net)" ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	pod own '.config.linux.securityContext.namespaceOptions = {pid: "CONTAINER"}'
	container alone 'echo $$'
	start
	[ "$(result)" = 1 ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	POD=$old
}

@test "containers: the target of processes is another container of the pod" {
	container one 'sleep 60' '.config.linux.securityContext.namespaceOptions = {pid: "CONTAINER"}'
	start
	target=$CTR
	pid=$(jq .pid "$OCID_RUNROOT/containers/$CTR/state.json")
	container watcher 'readlink /proc/self/ns/pid' \
		".config.linux.securityContext.namespaceOptions = {pid: \"TARGET\", targetId: \"$target\"}"
	start

	[ "$(result)" = "$(readlink "/proc/$pid/ns/pid")" ]
	container late true \
		".config.linux.securityContext.namespaceOptions = {pid: \"TARGET\", targetId: \"$target\"}"
	call StopContainer "$(that "$target")"
	# its process id may be another's by now
	sed -i "s,/proc/$pid/ns/pid,/proc/$$/ns/pid," "$OCID_ROOT/containers/$CTR"/{config,document}.json
	call 2 StartContainer "$(that)"
	error_is usage "does not run in the container's pod"
	call 2 CreateContainer "$(container_request three true \
		".config.linux.securityContext.namespaceOptions = {pid: \"TARGET\", targetId: \"$target\"}")"
	error_is usage "does not run in the container's pod"
}

@test "containers: the lists obey their filters" {
	container one 'sleep 60' '.config.labels = {app: "x", tier: "1"}'
	start
	one=$CTR
	container two 'sleep 60' '.config.labels = {app: "x", tier: "2"}'
	names() {
		field ListContainers "{\"filter\": $1}" '[.containers[]?.metadata.name] | sort | join(" ")'
	}
	[ "$(names '{}')" = "one two" ]
	[ "$(names '{"labelSelector": {"app": "x", "tier": "2"}}')" = two ]
	[ "$(names '{"state": {"state": "CONTAINER_RUNNING"}}')" = one ]
	[ "$(names '{"state": {"state": "CONTAINER_CREATED"}}')" = two ]
	[ "$(names "{\"id\": \"${one:0:10}\"}")" = one ]
	[ "$(names "{\"podSandboxId\": \"$POD\"}")" = "one two" ]
	[ "$(names '{"podSandboxId": "0123456789"}')" = "" ]
	[ "$(names "{\"id\": \"$one\", \"podSandboxId\": \"0123456789\"}")" = "" ]
	call StreamContainers
	[ "$(jq -c '.containers | length' <<<"$output")" = 2 ]
	[ "$(jq -c '.containers[0] | [.podSandboxId, .imageId]' <<<"$output")" = \
		"[\"$POD\",\"$(field ImageStatus "{\"image\": {\"image\": \"$IMAGE\"}}" .image.id)\"]" ]
}

@test "containers: lists do not need the messages that are kept for them" {
	container one 'sleep 60' '.config.labels = {app: "x"}'
	start
	call ListContainers
	with=$(jq -cS . <<<"$output")
	: >"$OCID_ROOT/pods/$POD/containers/$CTR.pb"
	call ListContainers
	[ "$(jq -cS . <<<"$output")" = "$with" ]
	rm "$OCID_ROOT/pods/$POD/containers/$CTR.pb"
	call ListContainers
	[ "$(jq -cS . <<<"$output")" = "$with" ]
	[ "$(field ListContainers '{"filter": {"state": {"state": "CONTAINER_EXITED"}}}' .containers)" = null ]
}

@test "containers: one whose record cannot be read is not gone" {
	container one 'sleep 60'
	start
	cd "$OCID_ROOT/pods/$POD/containers"
	rm "$CTR.pb"
	mv "$CTR.json" kept
	mkdir "$CTR.json" # which nobody can read
	call 1 ListContainers
	error_is failed "$CTR.json"
	call 1 ListContainers "{\"filter\": {\"podSandboxId\": \"$POD\"}}"
	error_is failed "$CTR.json"
	call 1 ListContainers "{\"filter\": {\"id\": \"$CTR\"}}"
	error_is failed "$CTR.json"
	call 1 PodSandboxStatus "{\"podSandboxId\": \"$POD\"}"
	error_is failed "$CTR.json"
	call 1 CreateContainer "$(container_request one 'sleep 60')"
	error_is failed "$CTR.json"
	rmdir "$CTR.json"
	mv kept "$CTR.json"
	[ "$(state)" = CONTAINER_RUNNING ]
	# nor where it cannot be looked for
	fault getdents64:error=EIO
	tool 1 "${FAULTY[@]}" -P "$PWD" ocid-dispatch call --config "$CONFIG" ListContainers \
		<<<"{\"filter\": {\"id\": \"${CTR:0:12}\"}}"
	# what a power cut has left of one says nothing
	echo '{"id":' >other.json
	for filter in '{}' "{\"podSandboxId\": \"$POD\"}"; do
		call ListContainers "{\"filter\": $filter}"
		[ "$(jq '.containers | length' <<<"$output")" -eq 1 ]
		[[ $stderr == *"container other is left out: "*"not valid JSON"* ]]
	done
	rm other.json
}

# has_open PID FILE
has_open() {
	find "/proc/$1/fd" -lname "$2" | grep -q .
}

@test "containers: one that is removed while it is listed was not just created" {
	local message

	container one 'exit 0'
	start
	wait_for 5 has_ended "$CTR"
	message=$OCID_ROOT/pods/$POD/containers/$CTR.pb
	mv "$message" "$BATS_TEST_TMPDIR/message"
	mkfifo "$message"
	exec {fifo}<>"$message"
	# waits in the midst of it, for the message
	ocid-dispatch call --config "$CONFIG" ListContainers <<<'{}' >"$BATS_TEST_TMPDIR/list" 3>&- &
	pid=$!
	wait_for 5 has_open "$pid" "$message"
	call RemoveContainer "{\"containerId\": \"$CTR\"}"
	cat "$BATS_TEST_TMPDIR/message" >&"$fifo"
	wait "$pid"
	exec {fifo}>&-
	[ "$(cat "$BATS_TEST_TMPDIR/list")" = '{}' ]
}

@test "containers: those of very many pods are listed, each once" {
	container one 'sleep 60'
	record=$(<"$OCID_ROOT/pods/$POD/containers/$CTR.json")
	for i in {100..199}; do
		mkdir -p "$OCID_ROOT/pods/many$i/containers"
		echo "${record//$CTR/fake$i}" >"$OCID_ROOT/pods/many$i/containers/fake$i.json"
	done
	call ListContainers
	rm -r "$OCID_ROOT"/pods/many*
	[ "$(jq '.containers | length' <<<"$output")" = 101 ]
	[ "$(jq -c '[.containers[].id] | unique | length' <<<"$output")" = 101 ]
	[ "$(jq -c '[.containers[] | select(.id == "fake150")] | map(.state)' <<<"$output")" = '["CONTAINER_EXITED"]' ]
}

@test "containers: mounts are made, and told as they were asked for" {
	mkdir "$BATS_TEST_TMPDIR/there"
	ln -s there "$BATS_TEST_TMPDIR/link"
	mounts='[{"containerPath": "/a", "hostPath": "'$BATS_TEST_TMPDIR'/new/dir"},
		{"containerPath": "/b", "hostPath": "'$BATS_TEST_TMPDIR'/link", "readonly": true}]'
	container one 'touch /a/file; touch /b/file || echo read-only' ".config.mounts = $mounts"
	start
	result | grep -qx read-only
	[ -e "$BATS_TEST_TMPDIR/new/dir/file" ]
	[ ! -e "$BATS_TEST_TMPDIR/there/file" ]
	[ "$(field ContainerStatus "$(that)" '.status.mounts | tostring')" = "$(jq -c 'map(.)' <<<"$mounts")" ]
}

@test "containers: a memory limit that is overstepped is told" {
	container one 'head -c 300000000 /dev/zero | tail' '.config.linux.resources.memoryLimitInBytes = "20000000"'
	start
	wait_for 60 has_ended "$CTR"
	[ "$(field ContainerStatus "$(that)" '.status | [.exitCode, .reason, .resources.linux.memoryLimitInBytes] | tostring')" = \
		'[137,"OOMKilled","20000000"]' ]
}

@test "containers: one without resources does not inherit how soon the kernel kills the server for memory" {
	echo 300 >"/proc/$BASHPID/oom_score_adj" # to start lower takes a privilege
	container one 'exec sleep 60'
	start
	[ "$(cat "/proc/$(ocid-shim state "$CTR" | jq .pid)/oom_score_adj")" -eq 0 ]
	[ "$(field ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"cat\", \"/proc/self/oom_score_adj\"]}" \
		'.stdout | @base64d')" -eq 0 ]
}

@test "containers: a name and attempt are those of one container of the pod" {
	container one true
	call 4 CreateContainer "$(container_request one true)"
	error_is exists "$CTR"
	container one true '.config.metadata.attempt = 1'
	[ "$(field ListContainers '{}' '.containers | length')" -eq 2 ]
}

@test "containers: what cannot be made leaves nothing" {
	call 2 CreateContainer "$(container_request one true 'del(.config.metadata)')"
	call 3 CreateContainer "$(container_request one true '.podSandboxId = "0123456789"')"
	error_is not-found 'no pod "0123456789"'
	call 3 CreateContainer "$(container_request one true '.config.image.image = "no/such:1"')"
	error_is not-found 'no image "no/such:1"'
	# for people it would be localhost/busybox:1
	call 3 CreateContainer "$(container_request one true '.config.image.image = "busybox:1"')"
	error_is not-found 'no image "busybox:1"'
	call 2 CreateContainer "$(container_request one true '.config.linux.securityContext.runAsGroup.value = 5')"
	error_is usage runAsGroup
	call 2 CreateContainer "$(container_request one true '.config.linux.securityContext.privileged = true')"
	error_is usage "no privileged container is allowed"
	[ -z "$(find "$OCID_ROOT/containers" "$OCID_ROOT/pods/$POD/containers" "$OCID_RUNROOT/containers" -mindepth 1)" ]
	mounts_left >"$BATS_TEST_TMPDIR/mounts"
	[ "$(grep -c rootfs "$BATS_TEST_TMPDIR/mounts")" -eq 0 ]
}

@test "containers: a log path that leads out of the pod's directory is refused at once" {
	local logs path

	logs=$(jq -r '.config.logDirectory' <<<"$(pod_request one)")
	mkdir -p "$logs/there"
	ln -s /tmp "$logs/away"
	ln -s /etc/passwd "$logs/there/link.log"
	for path in ../x.log there/../../x.log /etc/x.log away/x.log there/link.log; do
		call 2 CreateContainer "$(container_request one true ".config.logPath = \"$path\"")"
		error_is usage "the container's log path \"$path\" leads outside"
	done
	rm -r "$logs/away" "$logs/there"
	container one 'echo below' '.config.logPath = "not/yet/there.log"'
	start
	[ "$(result)" = below ]
	[ -s "$logs/not/yet/there.log" ]
}

@test "containers: what a runtime would leave undone without a word is refused" {
	local mapped='[{"hostId": 300000, "length": 65536}]' runtime=$BATS_TEST_TMPDIR/runtime

	# one that can do neither
	printf '#!/bin/sh\n[ "$1" = features ] && echo "{}"\n' >"$runtime"
	chmod +x "$runtime"
	cp "$CONFIG" "$BATS_TEST_TMPDIR/config"
	jq --arg runtime "$runtime" '.runtimes = {runc: {path: $runtime}}' "$BATS_TEST_TMPDIR/config" >"$CONFIG"
	call 10 CreateContainer "$(container_request one true ".config.mounts = [{containerPath: \"/x\", hostPath: \"/tmp\", uidMappings: $mapped, gidMappings: $mapped}]")"
	error_is unsupported "the runtime $runtime cannot map the ids of a mount"
	call 1 CreateContainer "$(container_request one true '.config.mounts = [{containerPath: "/x", hostPath: "/tmp", readonly: true, recursiveReadOnly: true}]')"
	cp "$BATS_TEST_TMPDIR/config" "$CONFIG"
	error_is failed "RROUnsupported: the runtime $runtime"
}

@test "containers: one that cannot be started has ended, and says why" {
	container one true '.config.command = ["/no/such"]'
	call 1 StartContainer "$(that)"
	error_is failed /no/such
	why=$stderr
	call ContainerStatus "$(that)"
	[ "$(jq -c '.status | [.state, .exitCode, .reason, .startedAt, (.finishedAt | tonumber > 1700000000000000000)]' <<<"$output")" = \
		'["CONTAINER_EXITED",128,"StartError",null,true]' ]
	[[ $why == *"$(jq -r .status.message <<<"$output")"* ]]
	[ "$(field ListContainers '{}' '.containers[0].state')" = CONTAINER_EXITED ]
	[ "$(field ListContainers '{"filter": {"state": {"state": "CONTAINER_CREATED"}}}' .containers)" = null ]
	call 5 StartContainer "$(that)"
	error_is in-use "is stopped already"
	[ ! -e "$OCID_RUNROOT/containers/$CTR" ]
	call StopContainer "$(that)"
	call RemoveContainer "$(that)"
	call 3 ContainerStatus "$(that)"
}

@test "containers: one that was not started yet" {
	container waiting 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
	call ContainerStatus "$(that)"
	[ "$(jq -c --arg logs "$BATS_FILE_TMPDIR/logs/one" '.status | [.state, .logPath == $logs + "/waiting.log"]' <<<"$output")" = '[null,true]' ]
	[ "$(field ListContainers '{"filter": {"state": {"state": "CONTAINER_CREATED"}}}' '.containers[0].id')" = "$CTR" ]
	[ ! -e "$OCID_RUNROOT/containers/$CTR" ]
	call 5 ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"]}"
	error_is in-use "does not run"
	call 5 Exec "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"], \"stdout\": true}"
	call 5 Attach "{\"containerId\": \"$CTR\", \"stdout\": true}"
	call 5 ReopenContainerLog "$(that)"
	[ "$(field ListContainerStats '{}' .stats)" = null ]
	call 2 CreateContainer "$(container_request two true \
		".config.linux.securityContext.namespaceOptions = {pid: \"TARGET\", targetId: \"$CTR\"}")"
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"memoryLimitInBytes\": \"40960000\"}}"
	[ "$(field ContainerStatus "$(that)" .status.resources.linux.memoryLimitInBytes)" = 40960000 ]
	start
	[ "$(result)" = 40960000 ]
}

@test "containers: the groups of a process are those that are told, its primary one among them" {
	for policy in Merge Strict; do
		container "groups-$policy" 'grep -w Groups /proc/self/status' ".config.linux.securityContext = {runAsUser: {value: 1001},
			runAsGroup: {value: 2000}, supplementalGroups: [3000], supplementalGroupsPolicy: \"$policy\"}"
		start
		[ "$(result | tr -s '[:space:]' ' ')" = "Groups: 2000 3000 " ]
		[ "$(field ContainerStatus "$(that)" '.status.user.linux | [.uid, .gid, .supplementalGroups] | tostring')" = \
			'["1001","2000",["2000","3000"]]' ]
	done
}

@test "containers: the signal that stops one is told: what was asked for, or the image has, or TERM" {
	signal() {
		field ContainerStatus "$(that)" .status.stopSignal
	}
	oci_image "$BATS_TEST_TMPDIR/oci" 1 '{"config": {"Cmd": ["sh"], "StopSignal": "SIGRTMIN+3"}}' "$BATS_FILE_TMPDIR/busybox.tar"
	skopeo-c copy -q "oci:$BATS_TEST_TMPDIR/oci:1" store:localhost/signal:1 | ctr-store unpack >/dev/null
	container none true
	[ "$(signal)" = SIGNAL_SIGTERM ]
	container image true '.config.image.image = "localhost/signal:1"'
	[ "$(signal)" = SIGNAL_SIGRTMINPLUS3 ]
	container asked true '.config.image.image = "localhost/signal:1" | .config.stopSignal = "SIGNAL_SIGIO"'
	[ "$(signal)" = SIGNAL_SIGIO ]
}

@test "containers: one that is stopped or removed before it was started" {
	container one 'sleep 60'
	call StopContainer "$(that)"
	[ "$(field ContainerStatus "$(that)" '.status | [.state, .exitCode, .reason, .message] | tostring')" = \
		'["CONTAINER_EXITED",128,"StartError","it was stopped before it was started"]' ]
	call StopContainer "$(that)"
	call 5 StartContainer "$(that)"
	container two 'sleep 60'
	call RemoveContainer "$(that)"
	call 3 ContainerStatus "$(that)"
	[ ! -e "$OCID_ROOT/containers/$CTR" ]
	old=$POD
	pod two
	container three 'sleep 60'
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	[ "$(field ContainerStatus "$(that)" '.status | [.state, .message] | tostring')" = \
		'["CONTAINER_EXITED","it was stopped before it was started"]' ]
	[ "$(field ListContainers "{\"filter\": {\"podSandboxId\": \"$POD\"}}" '.containers[0].state')" = CONTAINER_EXITED ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	POD=$old
}

@test "containers: a pod that is stopped ends them, and takes no more" {
	old=$POD
	pod two
	container one 'trap "" TERM; sleep 60'
	start
	call StopPodSandbox "{\"podSandboxId\": \"$POD\"}"
	[ "$(field ContainerStatus "$(that)" '.status | [.state, .exitCode] | tostring')" = '["CONTAINER_EXITED",137]' ]
	call 5 CreateContainer "$(container_request two true)"
	error_is in-use "is not ready"
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	call ListContainers
	[ "$output" = '{}' ]
	[ ! -e "$OCID_ROOT/containers/$CTR" ]
	POD=$old
}

@test "containers: a command that is executed and waited for" {
	container one 'sleep 60'
	start
	sync() {
		field ExecSync "$(jq -cn --arg id "$CTR" --arg command "$1" '{containerId: $id, cmd: ["sh", "-c", $command]}')" \
			'[.stdout // "", .stderr // ""] as [$o, $e] | [($o | @base64d), ($e | @base64d), .exitCode // 0] | tostring'
	}
	[ "$(sync 'echo out; echo err >&2; exit 5')" = '["out\n","err\n",5]' ]
	[ "$(sync true)" = '["","",0]' ]
	[ "$(sync 'sleep 60 & echo now')" = '["now\n","",0]' ]
	call 1 ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"/no/such\"]}"
	error_is failed /no/such
	call 1 ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"/etc\"]}"
	error_is failed /etc
	[ "$(sync 'exit 127')" = '["","",127]' ]
	call 124 ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"sleep\", \"30\"], \"timeout\": 1}"
	[[ $stderr == *"has not ended after 1 seconds"* ]]
	call ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"sh\", \"-c\", \"ps | grep -c 'sleep [3]0'\"]}"
	[ "$(jq -r '.stdout | @base64d' <<<"$output")" = 0 ]
	call StopContainer "$(that)"
	call 5 ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"true\"]}"
	error_is in-use "does not run"
}

@test "containers: whatever a command says, how it ended is not mistaken" {
	local saying='{"tool":"ocid-shim","verb":"exec","code":"not-found","message":"none"}'

	container one 'sleep 60'
	start
	late() {
		call 124 ExecSync "$(jq -cn --arg id "$CTR" --arg command "$1" \
			'{containerId: $id, timeout: 2, cmd: ["sh", "-c", $command]}')"
		[[ $stderr == *"has not ended after 2 seconds"* ]]
	}
	late 'printf "half a line" >&2; sleep 30'
	late 'head -c 20000000 /dev/zero >&2; sleep 30'
	late 'head -c 20000000 /dev/zero; sleep 30'
	call ExecSync "$(jq -cn --arg id "$CTR" --arg saying "$saying" \
		'{containerId: $id, cmd: ["sh", "-c", "echo \"$1\" >&2; exit 3", "-", $saying]}')"
	[ "$(jq -r '.exitCode, (.stderr | @base64d)' <<<"$output")" = "$(printf '3\n%s' "$saying")" ]
	jq -cn --arg id "$CTR" '{containerId: $id, cmd: ["echo", "x"]}' >"$BATS_TEST_TMPDIR/request"
	tool ocid-dispatch call --config "$CONFIG" --trace ExecSync <"$BATS_TEST_TMPDIR/request"
	[ "$(bash -c "$(grep ^ocid-shim <<<"$stderr")")" = x ]
}

@test "containers: what is executed says no more than a message holds" {
	container one 'sleep 60'
	start
	[ "$(field ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"head\", \"-c\", \"30000000\", \"/dev/zero\"]}" \
		'.stdout | length * 3 / 4 | . > 16000000 and . < 17000000')" = true ]
}

@test "containers: the log goes on in a new file" {
	container one 'while :; do echo x; sleep 0.05; done'
	start
	log=$(field ContainerStatus "$(that)" .status.logPath)
	wait_for 5 test -s "$log"
	mv "$log" "$log.1"
	call ReopenContainerLog "$(that)"
	[ -e "$log" ]
	wait_for 5 test -s "$log"
	call StopContainer "$(that)"
	call 5 ReopenContainerLog "$(that)"
}

@test "containers: resources are changed while they run" {
	container one 'sleep 60' '.config.linux.resources = {memoryLimitInBytes: "50000000", cpuShares: "512"}'
	start
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"memoryLimitInBytes\": \"60000000\"}}"
	[ "$(field ContainerStatus "$(that)" '.status.resources.linux | [.memoryLimitInBytes, .cpuShares] | tostring')" = '["60000000","512"]' ]
	cat /sys/fs/cgroup/memory/"$CGROUP/$CTR"/memory.limit_in_bytes /sys/fs/cgroup/"$CGROUP/$CTR"/memory.max 2>/dev/null |
		grep -E '^(59|60)[0-9]{6}$'
}

@test "containers: resources that were changed earlier stay where they are not named again" {
	local change changes=('{unified: {"memory.high": "3", "memory.low": "1"}, hugepageLimits: [{pageSize: "2MB", limit: "4096"}]}'
		'{unified: {"memory.low": "2"}, hugepageLimits: [{pageSize: "1GB", limit: "8192"}]}')

	container one true
	for change in "${changes[@]}"; do
		call UpdateContainerResources "$(jq -nc "{containerId: \"$CTR\", linux: $change}")"
	done
	[ "$(field ContainerStatus "$(that)" '.status.resources.linux |
		[.unified["memory.high", "memory.low"], (.hugepageLimits | sort_by(.pageSize)[] | .pageSize, .limit)] | tostring')" = \
		'["3","2","1GB","8192","2MB","4096"]' ]
}

@test "containers: an earlier limit of swap goes with the limit of memory that it was for" {
	local update

	container one 'sleep 60' '.config.linux.resources = {memoryLimitInBytes: "40960000", memorySwapLimitInBytes: "40960000"}'
	for update in '{memoryLimitInBytes: "50000000"}' '{cpuShares: "512"}'; do
		call UpdateContainerResources "$(jq -nc "{containerId: \"$CTR\", linux: $update}")"
		[ "$(field ContainerStatus "$(that)" '.status.resources.linux |
			[.memoryLimitInBytes, .memorySwapLimitInBytes] | tostring')" = '["50000000",null]' ]
	done
	call UpdateContainerResources "$(jq -nc "{containerId: \"$CTR\", linux: {memorySwapLimitInBytes: \"60000000\"}}")"
	[ "$(field ContainerStatus "$(that)" .status.resources.linux.memorySwapLimitInBytes)" = 60000000 ]
	call 10 UpdateContainerResources "{\"containerId\": \"$CTR\", \"windows\": {\"cpuShares\": \"3\"}}"
	error_is unsupported Windows
}

@test "containers: resources that cannot be are the request's mistake, also before the start" {
	container one true
	call 2 UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"oomScoreAdj\": \"5000\"}}"
	error_is usage /process/oomScoreAdj
	[ "$(field ContainerStatus "$(that)" .status.resources.linux)" = '{}' ]
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"cpuShares\": \"512\"}}"
}

@test "containers: an oom_score_adj is changed before the start, and later neither there nor in the status" {
	container one 'cat /proc/self/oom_score_adj; sleep 60' '.config.linux.resources = {oomScoreAdj: "300"}'
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"oomScoreAdj\": \"400\"}}"
	[ "$(field ContainerStatus "$(that)" .status.resources.linux.oomScoreAdj)" = 400 ]
	start
	wait_for 10 grep -q ' 400$' "$(field ContainerStatus "$(that)" .status.logPath)"
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"oomScoreAdj\": \"500\", \"cpuShares\": \"512\"}}"
	[ "$(field ContainerStatus "$(that)" '.status.resources.linux | [.oomScoreAdj, .cpuShares] | tostring')" = '["400","512"]' ]
}

@test "containers: trace shows what can be typed" {
	container_request one true >"$BATS_TEST_TMPDIR/request"
	ocid-dispatch call --trace CreateContainer <"$BATS_TEST_TMPDIR/request" 2>"$BATS_TEST_TMPDIR/trace"
	grep -q '^printf %s .* | ctr-store create --volatile --id [0-9a-f]* | oci-gen generate$' "$BATS_TEST_TMPDIR/trace"
	CTR=$(field ListContainers '{}' '.containers[0].id')
	that >"$BATS_TEST_TMPDIR/request"
	ocid-dispatch call --trace StartContainer <"$BATS_TEST_TMPDIR/request" 2>>"$BATS_TEST_TMPDIR/trace"
	grep -q '^printf %s .* | ocid-shim run --runtime runc$' "$BATS_TEST_TMPDIR/trace"
	bash -n "$BATS_TEST_TMPDIR/trace"
}

@test "containers: an image is a volume, and in use as long as it is one" {
	container volumes 'cat /image/www/index.html; cat /part/index.html; touch /image/x || echo read-only' ".config.mounts = [
		{\"containerPath\": \"/image\", \"readonly\": true, \"image\": {\"image\": \"$IMAGE\"}},
		{\"containerPath\": \"/part\", \"readonly\": true, \"image\": {\"image\": \"$IMAGE\"}, \"imageSubPath\": \"www\"}]"
	start
	[ "$(result | grep -v 'touch:')" = "$(printf 'hello\nhello\nread-only')" ]
	mounts_left | grep -q "/images/$CTR/"
	call ContainerStatus "$(that)"
	[ "$(jq -r '.status | (.imageRef | contains("@sha256:")) and ([.mounts[].image.imageRef == .imageRef] | all)' <<<"$output")" = true ]
	call RemoveContainer "$(that)"
	[ "$(mounts_left | grep -c "/images/$CTR/")" -eq 0 ]
	call 3 CreateContainer "$(container_request two true '.config.mounts = [{"containerPath": "/x", "readonly": true, "image": {"image": "no/such"}}]')"
	error_is not-found 'no image "no/such"'
	# one that is damaged
	blob=$OCID_ROOT/images/blobs/sha256/$(ctr-store image "$IMAGE" | jq -r '.image.manifest.layers[0].digest[7:]')
	mv "$blob" "$BATS_TEST_TMPDIR/blob"
	mv "$OCID_ROOT/layers" "$BATS_TEST_TMPDIR/layers"
	call 1 CreateContainer "$(container_request two true ".config.mounts = [{\"containerPath\": \"/x\", \"readonly\": true, \"image\": {\"image\": \"$IMAGE\"}}]")"
	rm -rf "$OCID_ROOT/layers"
	mv "$BATS_TEST_TMPDIR/layers" "$OCID_ROOT/layers"
	mv "$BATS_TEST_TMPDIR/blob" "$blob"
	error_is failed "ImageVolumeMountFailed: a volume of the container: "
}

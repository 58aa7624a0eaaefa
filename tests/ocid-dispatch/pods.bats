# SPDX-License-Identifier: Apache-2.0
# Pods, by real CNI plugins.

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
	remove_pods
}

that() {
	echo "{\"podSandboxId\": \"$POD\"}"
}

# Nothing but directories is left of pods.
nothing_of_pods() {
	[ -z "$(find "$OCID_ROOT/pods" "$OCID_ROOT/podnames" "$OCID_RUNROOT/pods" "$OCID_RUNROOT"/*ns \
		"$OCID_ROOT/networks" -mindepth 1 2>/dev/null)" ]
	[ -z "$(find "$OCID_RUNROOT/locks" -name '*pod*' -o -name 'cri-*')" ]
	[ -z "$(mounts_left)" ]
	[ -z "$(pgrep -f "ocid-pause.*$OCID_RUNROOT" || true)" ]
}

@test "pods: run, looked at, stopped and removed" {
	pod one '.config += {hostname: "box", labels: {a: "b"}, annotations: {c: "d"}} |
		.config.metadata.attempt = 3'
	[[ $POD =~ ^[0-9a-f]{64}$ ]]
	call PodSandboxStatus "$(that)"
	[ "$(jq -c '.status | [.id, .metadata, .labels, .annotations, .state // "SANDBOX_READY"]' <<<"$output")" = \
		"[\"$POD\",{\"attempt\":3,\"name\":\"one\",\"namespace\":\"tests\",\"uid\":\"one-uid\"},{\"a\":\"b\"},{\"c\":\"d\"},\"SANDBOX_READY\"]" ]
	ip=$(jq -r .status.network.ip <<<"$output")
	busybox ping -c 1 -W 2 "$ip"
	[ "$(jq -r .status.createdAt <<<"$output")" -gt 1700000000000000000 ]
	/usr/bin/python3 -m jsonschema -i "$OCID_ROOT/pods/$POD/document.json" "$TESTS/../man/document.schema.json"
	call ListPodSandbox
	[ "$(jq -c '.items | map(.id)' <<<"$output")" = "[\"$POD\"]" ]
	call StopPodSandbox "$(that)"
	run ! busybox ping -c 1 -W 1 "$ip"
	[ "$(field PodSandboxStatus "$(that)" .status.state)" = SANDBOX_NOTREADY ]
	[ -z "$(mounts_left)" ]
	call StopPodSandbox "$(that)"
	call RemovePodSandbox "$(that)"
	call RemovePodSandbox "$(that)"
	call StopPodSandbox "$(that)"
	call 3 PodSandboxStatus "$(that)"
	error_is not-found "no pod \"$POD\""
	nothing_of_pods
}

@test "pods: the lists obey their filters" {
	pod one '.config.labels = {app: "x", tier: "1"}'
	one=$POD
	pod two '.config.labels = {app: "x", tier: "2"}'
	call StopPodSandbox "$(that)"
	ids() {
		field ListPodSandbox "{\"filter\": $1}" '[.items[]?.metadata.name] | sort | join(" ")'
	}
	[ "$(ids '{}')" = "one two" ]
	[ "$(ids '{"labelSelector": {"app": "x"}}')" = "one two" ]
	[ "$(ids '{"labelSelector": {"app": "x", "tier": "2"}}')" = "two" ]
	[ "$(ids '{"labelSelector": {"app": "y"}}')" = "" ]
	[ "$(ids '{"state": {"state": "SANDBOX_READY"}}')" = "one" ]
	[ "$(ids '{"state": {"state": "SANDBOX_NOTREADY"}}')" = "two" ]
	[ "$(ids "{\"id\": \"${one:0:12}\"}")" = "one" ]
	[ "$(ids "{\"id\": \"$one\", \"labelSelector\": {\"tier\": \"2\"}}")" = "" ]
	[ "$(ids '{"id": "0123456789"}')" = "" ]
	call StreamPodSandboxes
	[ "$(jq -c '.podSandboxes | length' <<<"$output")" = 2 ]
}

@test "pods: a name, uid and attempt are those of one pod" {
	pod one
	call 4 RunPodSandbox "$(pod_request one)"
	error_is exists "$POD"
	pod one '.config.metadata.attempt = 1'
	call ListPodSandbox
	[ "$(jq '.items | length' <<<"$output")" = 2 ]
}

@test "pods: of many that are run at once with one name, one is there" {
	for n in 1 2 3 4 5; do
		pod_request same >"$BATS_TEST_TMPDIR/$n"
		ocid-dispatch call --config "$CONFIG" RunPodSandbox <"$BATS_TEST_TMPDIR/$n" \
			>"$BATS_TEST_TMPDIR/$n.out" 2>/dev/null 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/*.out | wc -l)" -eq 1 ]
	[ "$(field ListPodSandbox '{}' '.items | length')" -eq 1 ]
}

@test "pods: the network of the node, and nothing of its own" {
	pod host '.config.linux.securityContext.namespaceOptions = {network: "NODE", pid: "NODE", ipc: "NODE"}'
	call PodSandboxStatus "$(that)"
	[ "$(jq -c '.status | [.network.ip, .state]' <<<"$output")" = '[null,null]' ]
	[ "$(jq -c .status.linux.namespaces.options <<<"$output")" = '{"ipc":"NODE","network":"NODE","pid":"NODE"}' ]
	[ -z "$(mounts_left)" ]
	call StopPodSandbox "$(that)"
	[ "$(field PodSandboxStatus "$(that)" .status.state)" = SANDBOX_NOTREADY ]
}

@test "pods: where the document cannot be read or is damaged, what runs does not go on behind a success" {
	pod one
	container idle 'trap exit TERM; while :; do sleep 0.2; done'
	start
	cd "$OCID_ROOT/pods/$POD"
	fault getdents64:error=EIO
	tool 1 "${FAULTY[@]}" -P containers -P "$PWD/containers" ocid-dispatch call --config "$CONFIG" StopPodSandbox <<<"$(that)"
	error_is failed containers
	[ "$(state)" = CONTAINER_RUNNING ]
	mv document.json kept
	mkdir document.json # which nobody can read
	call 1 StopPodSandbox "$(that)"
	# nor is it gone, to lists and to those who ask for another of its name
	call 1 ListPodSandbox
	error_is failed document.json
	call 1 RunPodSandbox "$(pod_request one)"
	error_is failed document.json
	rmdir document.json
	[ "$(state)" = CONTAINER_RUNNING ]
	echo '{"rootfs":' >document.json
	# whoever misses it finds it in the log
	call ListPodSandbox
	[ "$output" = '{}' ]
	[[ $stderr == *"pod $POD is left out: $POD/document.json: not valid JSON"* ]]
	call StopPodSandbox "$(that)"
	[ "$(state)" = CONTAINER_EXITED ]
	mv kept document.json
	[ "$(field PodSandboxStatus "$(that)" .status.state)" = SANDBOX_NOTREADY ]
	call RemovePodSandbox "$(that)"
	nothing_of_pods
}

@test "pods: only a pod that shares its processes has a process" {
	pod shared
	read -r pid _ <"$OCID_RUNROOT/pods/$POD/pause"
	[ "$(awk '/^Seccomp:|^NoNewPrivs:/ { print $2 }' "/proc/$pid/status" | paste -sd ' ')" = "1 1" ]
	[ "$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")" = 0000000000000000 ]
	[ "$(find "/proc/$pid/root/" -mindepth 1 | wc -l)" -eq 0 ]
	[ "$(ls "/proc/$pid/fd")" = "$(printf '0\n1')" ]
	run ! grep -q "$OCID_RUNROOT" "/proc/$pid/cmdline"
	pod own '.config.linux.securityContext.namespaceOptions = {pid: "CONTAINER"}'
	[ ! -e "$OCID_RUNROOT/pods/$POD/pause" ]
}

@test "pods: one whose process has been killed is not ready" {
	pod shared
	read -r pid _ <"$OCID_RUNROOT/pods/$POD/pause"
	kill -KILL "$pid"
	wait_for 5 process_gone "$pid"
	[ "$(field PodSandboxStatus "$(that)" .status.state)" = SANDBOX_NOTREADY ]
	call StopPodSandbox "$(that)"
	call RemovePodSandbox "$(that)"
	nothing_of_pods
}

@test "pods: what is asked for wrongly leaves nothing" {
	call 2 RunPodSandbox
	error_is usage "no name"
	call 2 RunPodSandbox "$(pod_request x '.runtimeHandler = "nope"')"
	error_is usage 'no runtime handler "nope"'
	for mode in CONTAINER TARGET; do
		call 2 RunPodSandbox "$(pod_request x ".config.linux.securityContext.namespaceOptions.network = \"$mode\"")"
		error_is usage "$mode"
	done
	for port in 'hostPort: -1, containerPort: 80' 'hostPort: 65536, containerPort: 80' 'hostPort: 8080, containerPort: 70000'; do
		call 2 RunPodSandbox "$(pod_request x ".config.portMappings = [{$port}]")"
		error_is usage "a port of the pod is above 65535 or below 0"
	done
	for address in localhost 10.0.0 '[::1]' 127.0.0.1/8 ' 127.0.0.1'; do
		call 2 RunPodSandbox "$(pod_request x ".config.portMappings = [{hostPort: 8080, containerPort: 80, hostIp: \"$address\"}]")"
		error_is usage "\"$address\", for a port of the pod, is no IP address"
	done
	for dns in 'servers: ["1.2.3.4\nnameserver 6.6.6.6"]' 'servers: ["1.2.3.4 "]' 'searches: ["good", "a b"]' \
		'searches: [""]' 'options: ["ndots:5\toptions"]'; do
		call 2 RunPodSandbox "$(pod_request x ".config.dnsConfig = {$dns}")"
		error_is usage "dnsConfig: one of its ${dns%%:*} is not one word"
	done
	for parent in .. /a/../b a/.. //..; do
		call 2 RunPodSandbox "$(pod_request x ".config.linux.cgroupParent = \"$parent\"")"
		error_is usage "the pod's cgroup parent \"$parent\" holds \"..\""
	done
	call 2 RunPodSandbox "$(pod_request x '.config.linux.sysctls = {"kernel.shm_rmid_forced": "x y\nz"}')"
	call ListPodSandbox
	[ "$output" = '{}' ]
	nothing_of_pods
}

@test "pods: one that cannot be connected leaves nothing" {
	mv "$BATS_FILE_TMPDIR/net/10-pods.conflist" "$BATS_TEST_TMPDIR"
	call 3 RunPodSandbox "$(pod_request x)"
	mv "$BATS_TEST_TMPDIR/10-pods.conflist" "$BATS_FILE_TMPDIR/net"
	error_is not-found
	# what a client could not follow is not said
	[[ $stderr == *"make one with ctr-net init"* && $stderr != *--network* ]]
	nothing_of_pods
}

@test "pods: what is not there is named as the node is to be mended" {
	conflist=$BATS_FILE_TMPDIR/net/10-pods.conflist
	cp "$conflist" "$BATS_TEST_TMPDIR/right"
	jq '.plugins = [{type: "nowhere"}]' "$BATS_TEST_TMPDIR/right" >"$conflist"
	call 3 RunPodSandbox "$(pod_request x)"
	cp "$BATS_TEST_TMPDIR/right" "$conflist"
	[[ $stderr == *'name its directory in "network.pluginDirs" of ocid.json(5)'* ]]
	nothing_of_pods
	jq '.runtimes.gone = {path: "/nowhere/runc"}' "$CONFIG" >"$BATS_TEST_TMPDIR/ocid.json"
	CONFIG=$BATS_TEST_TMPDIR/ocid.json pod x '.runtimeHandler = "gone"'
	container c 'sleep 100'
	CONFIG=$BATS_TEST_TMPDIR/ocid.json call 3 StartContainer "{\"containerId\": \"$CTR\"}"
	[[ $stderr == *'name another in "runtimes" of ocid.json(5)'* ]]
}

@test "pods: what a wrong configuration of the network has left goes once it is mended" {
	conflist=$BATS_FILE_TMPDIR/net/10-pods.conflist
	cp "$conflist" "$BATS_TEST_TMPDIR/right"
	jq '.plugins = [{type: "ptp", ipam: {type: "host-local", subnet: "wrong"}}]' "$BATS_TEST_TMPDIR/right" >"$conflist"
	call 1 RunPodSandbox "$(pod_request x)"
	error_is failed "wrong"
	cp "$BATS_TEST_TMPDIR/right" "$conflist"
	call RunPodSandbox "$(pod_request x)"
	call RemovePodSandbox "$output"
	nothing_of_pods
}

@test "pods: as many annotations as Kubernetes allows" {
	pod_request annotated '.config.annotations = ([range(250) | {key: "k\(.)", value: ("y" * 1000)}] | from_entries)' >"$BATS_TEST_TMPDIR/request"
	tool ocid-dispatch call --config "$CONFIG" RunPodSandbox <"$BATS_TEST_TMPDIR/request"
	POD=$(jq -r .podSandboxId <<<"$output")
	[ "$(field PodSandboxStatus "$(that)" '.status.annotations | length')" -eq 250 ]
}

@test "pods: plugins are told the annotations and the cgroup where they want them" {
	conflist=$BATS_FILE_TMPDIR/net/10-pods.conflist
	cp "$conflist" "$BATS_TEST_TMPDIR/right"
	mkdir "$BATS_TEST_TMPDIR/plugins"
	cat >"$BATS_TEST_TMPDIR/plugins/listens" <<-END
		#!/bin/sh
		jq -c .runtimeConfig >>"$BATS_TEST_TMPDIR/heard"
		[ "\$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0"}'
	END
	chmod +x "$BATS_TEST_TMPDIR/plugins/listens"
	jq '.plugins = [{type: "listens", capabilities: {"io.kubernetes.cri.pod-annotations": true, cgroupPath: true}}]' "$BATS_TEST_TMPDIR/right" >"$conflist"
	CNI_PATH=$BATS_TEST_TMPDIR/plugins pod heard '.config.annotations = {a: "b"}'
	call RemovePodSandbox "$(that)"
	cp "$BATS_TEST_TMPDIR/right" "$conflist"
	[ "$(uniq "$BATS_TEST_TMPDIR/heard")" = '{"cgroupPath":"'"$CGROUP"'","io.kubernetes.cri.pod-annotations":{"a":"b"}}' ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/heard")" -eq 2 ]
}

@test "pods: their traffic is limited as Kubernetes' annotations say" {
	conflist=$BATS_FILE_TMPDIR/net/10-pods.conflist
	cp "$conflist" "$BATS_TEST_TMPDIR/right"
	jq '.plugins += [{type: "bandwidth", capabilities: {bandwidth: true}}]' "$BATS_TEST_TMPDIR/right" >"$conflist"
	pod slow '.config.annotations = {"kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "2M"}'
	tc qdisc show | grep -c 'tbf.* rate 10Mbit'
	tc qdisc show | grep -c 'tbf.* rate 2Mbit'
	busybox ping -c 1 -W 2 "$(field PodSandboxStatus "$(that)" .status.network.ip)"
	call RemovePodSandbox "$(that)"
	call 2 RunPodSandbox "$(pod_request odd '.config.annotations = {"kubernetes.io/ingress-bandwidth": "fast"}')"
	error_is usage '"fast" is no rate'
	cp "$BATS_TEST_TMPDIR/right" "$conflist"
	nothing_of_pods
}

@test "pods: in a user namespace of their own" {
	map='[{"hostId": 300000, "length": 65536}]'
	options=".linux.securityContext.namespaceOptions.usernsOptions = {mode: \"POD\", uids: $map, gids: $map}"
	# what the ids of the namespace must get through
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
	volume="[{\"containerPath\": \"/image\", \"readonly\": true, \"image\": {\"image\": \"$IMAGE\"}}]"
	pod mapped ".config$options | .config.linux.sysctls = {\"net.ipv4.ip_unprivileged_port_start\": \"81\"}"
	container one 'cat /proc/self/uid_map; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; stat -c "%u:%g" /bin/busybox; touch /x; echo >>/etc/hosts || echo foreign; cat /image/www/index.html' \
		".config$options | .config.mounts = $volume"
	start
	[ "$(result | tr -s ' ')" = "$(printf ' 0 300000 65536\n81\n0:0\nhello')" ]
	[ "$(stat -c %u:%g "$OCID_ROOT/containers/$CTR/upper/x")" = 300000:300000 ]
	# with the network of the node
	options="$options | .config.linux.securityContext.namespaceOptions.network = \"NODE\""
	pod near ".config$options"
	container two 'cat /proc/self/uid_map; readlink /proc/self/ns/net; ls /sys/class/net; echo x >/sys/x' ".config$options"
	start
	[ "$(result | head -n 2 | tr -s ' ')" = "$(echo " 0 300000 65536"; readlink /proc/self/ns/net)" ]
	result | grep -qx lo
	result | grep -q 'Read-only file system'
	for bad in '{mode: "CONTAINER"}' '{mode: "TARGET"}' '{mode: "POD"}' \
		'{mode: "POD", uids: [{containerId: 1, hostId: 5, length: 9}], gids: [{containerId: 1, hostId: 5, length: 9}]}' \
		"{mode: \"POD\", uids: ($map + $map), gids: ($map + $map)}"; do
		call 2 RunPodSandbox "$(pod_request bad ".config.linux.securityContext.namespaceOptions.usernsOptions = $bad")"
	done
}

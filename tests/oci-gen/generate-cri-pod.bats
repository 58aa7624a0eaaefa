# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

has_own_uts() {
	[ "$(readlink /proc/self/ns/uts)" != "$(readlink "/proc/$1/ns/uts")" ]
}

# Pin a user namespace, and a network, an IPC and a UTS namespace that belong to it, as USERNS/…
pin_namespaces() {
	local pid

	export USERNS=$BATS_TEST_TMPDIR/ns
	mkdir "$USERNS"
	unshare --user --net --ipc --uts sleep 20 3>&- &
	pid=$!
	wait_for 5 has_own_uts "$pid"
	echo "0 100000 65536" >"/proc/$pid/uid_map"
	echo "0 100000 65536" >"/proc/$pid/gid_map"
	for name in user net ipc uts; do
		touch "$USERNS/$name"
		mount --bind "/proc/$pid/ns/$name" "$USERNS/$name"
	done
	kill "$pid"
}

teardown() {
	umount "$BATS_TEST_TMPDIR"/ns/* 2>/dev/null || true
	find /sys/fs/cgroup -depth -type d -path '*/ocid-test-cri*' -exec rmdir {} + 2>/dev/null || true
}

MAPS='[{hostId: 100000, containerId: 0, length: 65536}]'
USER_NAMESPACE=".cri.pod.linux.securityContext.namespaceOptions.usernsOptions = {mode: \"POD\", uids: $MAPS, gids: $MAPS}
	| .cri.sandbox.namespaces.user = \"/proc/self/ns/user\""
SAME='.cri.container.linux.securityContext.namespaceOptions.usernsOptions = .cri.pod.linux.securityContext.namespaceOptions.usernsOptions'

@test "generate: cri: a user namespace is the pod's, with one mapping" {
	from_cri "$USER_NAMESPACE | $SAME"
	is '.linux.namespaces[] | select(.type == "user")' '{"path":"/proc/self/ns/user","type":"user"}'
	is '[.linux.uidMappings, .linux.gidMappings]' \
		'[[{"containerID":0,"hostID":100000,"size":65536}],[{"containerID":0,"hostID":100000,"size":65536}]]'
	from_cri "$USER_NAMESPACE"
	is '.linux.uidMappings | length' 1
	from_cri '.cri.pod.linux.securityContext.namespaceOptions.usernsOptions = {mode: "NODE"}'
	is '[.linux.namespaces[].type] | index("user")' null
	from_cri "$USER_NAMESPACE | $SAME | .cri.container.linux.securityContext.namespaceOptions.network = \"NODE\""
	is '.mounts[] | select(.destination == "/sys") | [.type, .source]' '["bind","/sys"]'
	from_cri 2 "$USER_NAMESPACE | del(.cri.sandbox.namespaces.user)"
	error_is usage cri.sandbox.namespaces.user
	while IFS='|' read -r code filter; do
		from_cri "$code" "$USER_NAMESPACE | .cri.pod.linux.securityContext.namespaceOptions.usernsOptions |= ($filter) | $SAME"
	done <<-'END'
		7|.mode = "CONTAINER"
		7|.mode = "TARGET"
		7|.mode = "NODE"
		7|del(.uids)
		7|del(.gids)
		7|.uids += .uids
		7|.uids[0].containerId = 1
		7|.uids[0].length = 0
		7|.gids[0].length = 4294967296
		7|.gids[0].hostId = 4294967295
		7|.gids[0].hostId = -1
		7|{}
	END
	from_cri 7 "$USER_NAMESPACE | $SAME | .cri.container.linux.securityContext.namespaceOptions.usernsOptions.uids[0].hostId = 1"
	from_cri 10 "$USER_NAMESPACE | $SAME | .cri.container.linux.securityContext.namespaceOptions.pid = \"NODE\""
}

@test "generate: cri: a container in the user namespace of its pod is root there only" {
	pin_namespaces
	mkdir "$BATS_TEST_TMPDIR/data"
	echo hello >"$BATS_TEST_TMPDIR/data/file"
	# the mount points in it are made by the pod's root
	cp -a "$ROOTFS" "$BATS_TEST_TMPDIR/rootfs"
	chown -R 100000:100000 "$BATS_TEST_TMPDIR/rootfs"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{file,test} "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	local filter="$USER_NAMESPACE | $SAME | .rootfs.path = \"$BATS_TEST_TMPDIR/rootfs\" | .cri.sandbox.namespaces = {user: \"$USERNS/user\", network: \"$USERNS/net\", ipc: \"$USERNS/ipc\", uts: \"$USERNS/uts\"}
		| .cri.container.linux.securityContext.runAsUser = {value: 0}
		| .cri.container.mounts = [{containerPath: \"/data\", hostPath: \"$BATS_TEST_TMPDIR/data\", uidMappings: $MAPS, gidMappings: $MAPS}]"
	for runtime in runc crun; do
		cri_run -r $runtime "$filter" sh -c 'id -u; cat /proc/self/uid_map; ls -ln /data/file; readlink /proc/self/ns/user'
		[[ $output == 0$'\n'*100000*65536* ]]
		[[ $output == *"user:[$(stat -L -c %i "$USERNS/user")]"* ]]
		# runc 1.1 passes over mappings of mounts, of which validate warns
		[ $runtime = runc ] || [[ $output == *" 0 "*" 0 "*/data/file* ]]
	done
}
